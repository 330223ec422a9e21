/** Workflows as people write them, for tests of the command line. */
export interface SampleWorkflow {
  readonly yaml: string
  readonly steps: readonly string[]
}

export const reviewed: SampleWorkflow = {
  steps: ['outline', 'build', 'review', 'announce'],
  yaml: `workflow:
  id: note
  name: 'Write a note'
  version: '1.0.0'
  settings:
    quality_gates: true
  steps:
    - id: outline
      agent: planner
      requires: []
      creates:
        - plan/outline.md
      next: build
    - id: build
      agent: writer
      context_tier: 2
      requires:
        - plan/outline.md
      creates:
        - notes/
      next: review
    - id: review
      agent: reviewer
      requires:
        - notes/
      scoring:
        enabled: true
        thresholds:
          overall_min: 70
          tone_min: 6.5
      gate:
        condition: 'scoring.passed == true'
        on_pass: announce
        on_fail: build
    - id: announce
      agent: writer
      creates:
        - announcement.json
`,
}

export const parallel: SampleWorkflow = {
  steps: ['left', 'right', 'check-left', 'check-right', 'join'],
  yaml: `id: both-sides
steps:
  - id: left
    agent: worker
    requires: []
    creates: [left/parts/]
  - id: right
    agent: worker
    requires: []
    creates: [right/parts/]
  - id: check-left
    agent: checker
    requires: [left/parts/]
    creates: [left/report.json]
  - id: check-right
    agent: checker
    requires: [right/parts/]
    creates: [right/report.json]
  - id: join
    agent: worker
    requires: [left/report.json, right/report.json]
    creates: [summary.md]
`,
}
