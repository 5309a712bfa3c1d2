/** A new id for a message, unique by all likelihood. */
export function newId(): string {
  // randomUUID is missing where the page is not served over HTTPS or from this machine
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((each) => each.toString(16).padStart(2, '0')).join('')
}
