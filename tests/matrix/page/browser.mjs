// Where the browser is. With --check nothing but the answer is given: code 2 and how to install it when there is none.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { argv, env, stderr } from 'node:process'

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** The first Chromium on the path. */
export const browserPath = (env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => names.map((name) => join(folder, name)))
  .find((path) => existsSync(path))

if (argv.includes('--check') && browserPath === undefined) {
  stderr.write('There is no Chromium to open the page in. Install it with: apt-get install -y chromium\n')
  process.exitCode = 2
}
