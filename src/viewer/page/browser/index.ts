/** What a live page needs of the browser besides its document: time, pauses, requests. */

const longestWaitMs = 5_000

/**
 * The text that the service answers with.
 *
 * @throws an error whose message says in a few words why there is none.
 */
export async function ask(path: string): Promise<string> {
  const signal = AbortSignal.timeout(longestWaitMs)
  const response = await fetch(path, { signal }).catch((error: unknown) => {
    throw new Error(whyNone(error), { cause: error })
  })
  if (!response.ok) throw new Error(`the service answered with status ${response.status}`)
  return response.text().catch((error: unknown) => {
    throw new Error(whyNone(error), { cause: error })
  })
}

function whyNone(error: unknown): string {
  const late = error instanceof DOMException && error.name === 'TimeoutError'
  return late ? 'the service does not answer' : 'the service cannot be reached'
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}

export function nowMs(): number {
  return Date.now()
}

/** As the command line has it, so that the two can be compared. */
export function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
