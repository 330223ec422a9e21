import type { BundleVersions } from '../bundle/index.ts'

/** What is not as it was when the bundle was made, each in a line; parts that one of the two does not tell are passed over. */
export function changedSince(
  recorded: BundleVersions,
  now: Partial<Pick<BundleVersions, 'commit' | 'node' | 'vitest' | 'template'>>,
): readonly string[] {
  const changed = (what: string, was: string | null | undefined, is: string | null | undefined): string[] =>
    was == null || is == null || was === is ? [] : [`recorded with ${what} ${was}, replayed with ${is}`]
  const { template } = recorded
  return [
    ...changed('commit', recorded.commit?.slice(0, 10), now.commit?.slice(0, 10)),
    ...changed('Node', recorded.node, now.node),
    ...changed('Vitest', recorded.vitest, now.vitest),
    ...(template != null && now.template != null && template.sha256 !== now.template.sha256
      ? [`the template '${template.name}' has changed since the recording`]
      : []),
  ]
}
