import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { FaultlineError, isJsonObject, messageOf } from '../../core/index.ts'
import { sweepReportJson, sweepReportVersion } from '../../harness/index.ts'
import type { SweepReport } from '../../harness/index.ts'
import { readTextFile } from '../read-text-file.ts'

/** What a report says of itself in its JSON form, which leaves out the timings. */
const lists = ['findings', 'matrix'] as const
const objects = ['families', 'shortcuts'] as const
const noTimings: SweepReport['timings'] = { cpuMs: 0, scenariosPerSecond: 0, slowest: [] }

/** @throws FaultlineError `FILE_NOT_FOUND`, `CONFIGURATION_INVALID` for a file that holds no report of this version. */
export function readReport(path: string): SweepReport {
  const text = readTextFile(path, 'sweep report')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalid(path, messageOf(error))
  }
  if (!isJsonObject(value)) throw invalid(path, 'it is no object')
  if (value['version'] !== sweepReportVersion)
    throw invalid(
      path,
      `its version is ${JSON.stringify(value['version'])}, and ${sweepReportVersion} is read`,
    )
  for (const name of lists) if (!Array.isArray(value[name])) throw invalid(path, `it has no list '${name}'`)
  for (const name of objects) if (!isJsonObject(value[name])) throw invalid(path, `it has no '${name}'`)
  return { ...(value as unknown as SweepReport), timings: noTimings }
}

/** Undefined when there is no such file yet. */
export function earlierReport(path: string | undefined): SweepReport | undefined {
  return path === undefined || !existsSync(path) ? undefined : readReport(path)
}

/** In one step, so that whoever reads it finds a whole one. */
export function writeReport(path: string, report: SweepReport): void {
  const fresh = `${path}.new`
  writeFileSync(fresh, sweepReportJson(report))
  renameSync(fresh, path)
}

function invalid(path: string, why: string): FaultlineError {
  return new FaultlineError('CONFIGURATION_INVALID', `'${path}' is not the report of a sweep: ${why}.`, {
    details: { path },
  })
}
