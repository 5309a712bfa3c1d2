import { useEffect, useRef, useState } from 'preact/hooks'

import { computeScorecard, type Scorecard } from '../api/scorecard'
import { attempt } from '../notices'
import { number, t } from '../texts'
import { Bars } from './bars'
import { Calibration } from './calibration'
import { Costs } from './costs'
import { Course } from './course'

const QUESTIONS = 20

/** Has it helped, is it as sure as it is right, and what has it cost? */
export function ScorecardView() {
  const [tests, setTests] = useState(0)
  return (
    <div class="page">
      <h1>{t().views.scorecard}</h1>
      <Test onTested={() => setTests(tests + 1)} />
      <Calibration />
      <Costs key={tests} />
    </div>
  )
}

/** The user's own questions, answered again as if it were then. */
function Test({ onTested }: { onTested: () => void }) {
  const [scorecard, setScorecard] = useState<Scorecard>()
  const [progress, setProgress] = useState<[done: number, of: number]>()
  const stop = useRef(new AbortController())
  useEffect(() => () => stop.current.abort(), [])
  const words = t().scorecard
  const test = async () => {
    stop.current = new AbortController()
    const { signal } = stop.current
    setProgress([0, QUESTIONS])
    await attempt(async () => {
      try {
        setScorecard(await computeScorecard(QUESTIONS, (done, of) => setProgress([done, of]), signal))
      } catch (error) {
        if (!signal.aborted) throw error
      }
    })
    setProgress(undefined)
    onTested()
  }
  return (
    <>
      <p>{words.intro}</p>
      {progress ? (
        <button type="button" onClick={() => stop.current.abort()}>
          {t().chat.stop}
        </button>
      ) : (
        <button type="button" class="main" onClick={() => void test()}>
          {words.start}
        </button>
      )}
      <div role="status">
        {progress && (
          <p>
            {words.progress(...progress)} <progress value={progress[0]} max={progress[1]} aria-label={words.start} />
          </p>
        )}
      </div>
      {scorecard && <Result scorecard={scorecard} />}
    </>
  )
}

function Result({ scorecard }: { scorecard: Scorecard }) {
  const { helped, usage, warnings } = scorecard
  const words = t().scorecard
  return (
    <>
      {helped && (
        <p class="card">
          <strong>{words.verdicts[helped.verdict]}</strong>{' '}
          {helped.questions > 0 && words.rests(helped.version, helped.questions, helped.better, helped.worse)}
        </p>
      )}
      <Bars scorecard={scorecard} />
      <Course episodes={scorecard.episodes} />
      <p class="quiet">{words.cost(number(usage.llm_calls), number(usage.input_tokens + usage.output_tokens))}</p>
      {warnings.map((warning) => (
        <p class="quiet" key={warning}>
          {warning}
        </p>
      ))}
    </>
  )
}
