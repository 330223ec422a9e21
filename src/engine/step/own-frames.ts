import { isError } from '../../core/index.ts'

const mostFrames = 10

/**
 * Where in the project's own code something was thrown, innermost first: `write (src/agents.mjs:12:9)`. Frames of Node, of packages and from
 * outside the project are left out, and paths are relative, so that a log can be handed on.
 */
export function ownFrames(thrown: unknown, projectFolder: string | undefined): readonly string[] {
  if (!isError(thrown) || projectFolder === undefined) return []
  const below = `${unixPath(projectFolder)}/`
  return String(thrown.stack ?? '')
    .split('\n')
    .flatMap((line) => {
      const [, name = '', place = ''] = /^\s+at (?:(.+) \()?(.+:\d+:\d+)\)?$/.exec(line) ?? []
      const path = unixPath(place)
      if (!path.startsWith(below) || path.includes('/node_modules/')) return []
      const own = path.slice(below.length)
      return [name === '' ? own : `${name} (${own})`]
    })
    .slice(0, mostFrames)
}

function unixPath(place: string): string {
  const path = place.startsWith('file://')
    ? decodeURI(place.replace(/^file:\/\/(?:\/(?=[A-Za-z]:))?/, ''))
    : place
  return path.replaceAll('\\', '/')
}
