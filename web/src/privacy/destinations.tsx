import { useEffect, useState } from 'preact/hooks'

import { listDestinations } from '../api/privacy'
import type { Destination } from '../api/types'
import { attempt } from '../notices'
import { t } from '../texts'

/** What leaves the server's machine, and where it goes. */
export function Destinations() {
  const [places, setPlaces] = useState<Destination[]>()
  useEffect(() => void attempt(async () => setPlaces(await listDestinations())), [])
  const words = t().privacy
  return (
    <section aria-labelledby="destinations">
      <h2 id="destinations">{words.leaves}</h2>
      {places === undefined && <p class="quiet">{t().loading}</p>}
      {places?.every((each) => each.here) && <p>{words.nothingLeaves}</p>}
      {places && (
        <table>
          <thead>
            <tr>
              <th scope="col">{words.purpose}</th>
              <th scope="col">{words.where}</th>
              <th scope="col">{words.what}</th>
            </tr>
          </thead>
          <tbody>
            {places.map((each) => (
              <Place key={each.purpose} place={each} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function Place({ place }: { place: Destination }) {
  const words = t().privacy
  return (
    <tr>
      <th scope="row">
        {words.purposes[place.purpose] ?? place.purpose}
        {place.model && <span class="quiet"> · {place.model}</span>}
      </th>
      <td>{place.here ? words.here : place.host ?? words.elsewhere}</td>
      <td>{place.text ? words.text : words.noText}</td>
    </tr>
  )
}
