import picocolors from 'picocolors'

const colours = picocolors.createColors(picocolors.isColorSupported && process.stdout.isTTY)

// `faultline run ... | head` closes the pipe early: the run goes on, only its text is lost.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Colour only repeats what the words and signs say. */
export const emphasis = {
  good: (text: string): string => colours.green(text),
  bad: (text: string): string => colours.red(text),
  faint: (text: string): string => colours.dim(text),
}
