/**
 * Makes absolute paths below the roots relative to them: `/tmp/p-1/src/a.ts` becomes `<project>/src/a.ts`. The innermost
 * root wins, a `file:` URL is taken for the path it names, and a root is only found as a whole name (`/tmp/p-12` is not
 * `/tmp/p-1`).
 */
export function rootRewriter(roots: Readonly<Record<string, string>>): (text: string) => string {
  const names = new Map(
    Object.entries(roots)
      .map(([name, folder]) => [folder.replace(/[\\/]+$/, ''), name] as const)
      .filter(([folder]) => folder.length > 1)
      .flatMap(([folder, name]) => [
        [folder, name] as const,
        [folder.replaceAll('\\', '\\\\'), name] as const,
        [folder.replaceAll('\\', '/'), name] as const,
      ]),
  )
  if (names.size === 0) return (text) => text
  const innermostFirst = [...names.keys()].sort((left, right) => right.length - left.length)
  const folders = innermostFirst.map((folder) => folder.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')
  const pattern = new RegExp(
    `(?:file://(?=/)|file:///(?=[A-Za-z]:))?(${folders})(?![A-Za-z0-9_-]|\\.[A-Za-z0-9])`,
    'g',
  )
  return (text) => text.replace(pattern, (_, folder: string) => names.get(folder) ?? folder)
}
