import type { TestAnnotation } from 'vitest'
import type { Reporter, TestCase, Vitest } from 'vitest/node'

/**
 * Lets the JUnit report name the bundles of a failed test, as properties of its case: that reporter writes annotations so. Only
 * where it is used, since others would show them beside what we print anyway; and only once, since merged reports tell the same again.
 */
export async function nameBundlesInJunit(
  test: TestCase,
  bundles: readonly string[],
  vitest: Vitest | undefined,
): Promise<void> {
  if (bundles.length === 0 || !usesJunit(vitest)) return
  // Experimental: where a version does not have it, the report does without.
  const { experimental_getRunnerTask: runnerTask } = (await import('vitest/node')) as Partial<
    typeof import('vitest/node')
  >
  const annotations = runnerTask?.(test).annotations
  if (annotations === undefined) return
  for (const bundle of bundles) {
    for (const annotation of [
      { type: 'faultline.bundle', message: bundle },
      { type: 'faultline.replay', message: `npx faultline replay ${bundle}` },
    ] satisfies TestAnnotation[]) {
      if (
        !annotations.some(({ type, message }) => type === annotation.type && message === annotation.message)
      )
        annotations.push(annotation)
    }
  }
}

function usesJunit(vitest: Vitest | undefined): boolean {
  const reporters = (vitest?.config.reporters ?? []) as readonly (string | Reporter | readonly unknown[])[]
  return reporters.some(
    (reporter) => reporter === 'junit' || (Array.isArray(reporter) && reporter[0] === 'junit'),
  )
}
