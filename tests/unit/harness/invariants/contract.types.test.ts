import { expectTypeOf, test } from 'vitest'
import type { DigestPort } from '../../../../src/ports/index.ts'
import type {
  canonicalOutcome,
  CanonicalOutcome,
  clockJumps,
  compareRuns,
  defineInvariant,
  Evidence,
  EvidenceDigest,
  Invariant,
  judge,
  JudgedRun,
  NotJudged,
  OutsideEffect,
  RunComparison,
  RunNote,
  RunPlace,
  RunReading,
  Verdict,
  Violation,
  WorldEffect,
} from '../../../../src/harness/index.ts'

// The compiler is the judge here: `npm run types` turns red when a public type changes. Nothing is run.

test('judging takes evidence and a list of invariants, and answers with data', () => {
  expectTypeOf<typeof judge>().toEqualTypeOf<
    (evidence: Evidence, invariants?: readonly Invariant[]) => Promise<JudgedRun>
  >()
  expectTypeOf<JudgedRun>().toEqualTypeOf<{
    readonly violations: readonly Violation[]
    readonly judged: readonly string[]
    readonly notJudged: readonly NotJudged[]
    readonly notes: readonly RunNote[]
  }>()
  expectTypeOf<Violation>().toExtend<RunPlace & { readonly invariant: string; readonly sentence: string }>()
})

test('comparing takes several', () => {
  expectTypeOf<typeof clockJumps>().toEqualTypeOf<RunComparison>()
  expectTypeOf<typeof compareRuns>().toEqualTypeOf<
    (evidences: readonly Evidence[], comparison: RunComparison) => Promise<JudgedRun>
  >()
  expectTypeOf<typeof canonicalOutcome>().toEqualTypeOf<(evidence: Evidence) => Promise<CanonicalOutcome>>()
})

test('an invariant of your own reads the run and says what is broken', () => {
  expectTypeOf<typeof defineInvariant>().toEqualTypeOf<(definition: Invariant) => Invariant>()
  expectTypeOf<Parameters<Invariant['check']>>().toEqualTypeOf<[run: RunReading, verdict: Verdict]>()
})

test('what a session knows can be handed in as it is', () => {
  expectTypeOf<DigestPort>().toExtend<EvidenceDigest>()
  expectTypeOf<WorldEffect>().toExtend<OutsideEffect>()
})
