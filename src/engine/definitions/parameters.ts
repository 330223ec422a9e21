import { canonicalJson, FaultlineError, isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import { piecesOf, readReference } from './references.ts'
import type { Reference } from './references.ts'
import type { SourcePath } from './source-tree.ts'

/** What references are resolved in: what is known when a step starts. */
export interface ReferenceScope {
  readonly input: JsonValue
  /** The output of a step; undefined when it has none. */
  outputOf(step: string): JsonValue | undefined
}

/** Parameters whose references have been read. */
export interface Parameters {
  readonly references: readonly PlacedReference[]
  /**
   * Every reference replaced by its value, in one pass: a value is never looked at for references again. A reference that is
   * a text of its own keeps its value's type; among other text, its value is written as text, lists and maps as JSON. What
   * holds no reference is handed on as it is.
   *
   * @throws MissingInputError
   */
  resolve(scope: ReferenceScope): JsonObject
}

export interface PlacedReference extends Reference {
  /** Where it stands, below the parameters. */
  readonly place: SourcePath
}

export interface ParameterFlaw {
  readonly place: SourcePath
  /** Continues a sentence that begins with the place. */
  readonly problem: string
}

/** A value that a reference asks for is not there. */
export class MissingInputError extends FaultlineError {
  /** The reference as it was written between the braces. */
  readonly missingVar: string

  constructor(missingVar: string) {
    super('MISSING_INPUT', `There is no value for \${${missingVar}}.`, { details: { missingVar } })
    this.missingVar = missingVar
  }
}

/** @throws FaultlineError `DEFINITION_INVALID` when a reference cannot be read. */
export function compileParameters(parameters: JsonObject, stepIds: ReadonlySet<string>): Parameters {
  const { compiled, flaws } = readParameters(parameters, stepIds)
  const [flaw] = flaws
  if (flaw === undefined) return compiled
  throw new FaultlineError('DEFINITION_INVALID', `The parameter ${flaw.place.join('.')} ${flaw.problem}`)
}

export function readParameters(
  parameters: JsonObject,
  stepIds: ReadonlySet<string>,
): { readonly compiled: Parameters; readonly flaws: readonly ParameterFlaw[] } {
  const reader: Reader = { stepIds, references: [], flaws: [] }
  const template = templateOf(reader, parameters, [])
  return {
    flaws: reader.flaws,
    compiled: {
      references: reader.references,
      resolve: (scope) => (template === undefined ? parameters : (template(scope) as JsonObject)),
    },
  }
}

/** Makes a value in a scope; undefined for one without references. */
type Template = ((scope: ReferenceScope) => JsonValue) | undefined

interface Reader {
  readonly stepIds: ReadonlySet<string>
  readonly references: PlacedReference[]
  readonly flaws: ParameterFlaw[]
}

function templateOf(reader: Reader, value: JsonValue, place: SourcePath): Template {
  if (typeof value === 'string') return textTemplate(reader, value, place)
  if (Array.isArray(value)) return listTemplate(reader, value as readonly JsonValue[], place)
  return isJsonObject(value) ? mapTemplate(reader, value, place) : undefined
}

function listTemplate(reader: Reader, list: readonly JsonValue[], place: SourcePath): Template {
  const members = list.map((value, index) => templateOf(reader, value, [...place, index]))
  if (members.every((member) => member === undefined)) return undefined
  return (scope) =>
    list.map((value, index) => {
      const template = members[index]
      return template === undefined ? value : template(scope)
    })
}

function mapTemplate(reader: Reader, map: JsonObject, place: SourcePath): Template {
  const members = Object.entries(map).map(([key, value]) => {
    if (key.includes('${'))
      reader.flaws.push({ place: [...place, key], problem: `is a key: only values can hold references` })
    return { key, value, template: templateOf(reader, value as JsonValue, [...place, key]) }
  })
  if (members.every(({ template }) => template === undefined)) return undefined
  return (scope) =>
    Object.fromEntries(members.map(({ key, value, template }) => [key, template ? template(scope) : value]))
}

function textTemplate(reader: Reader, text: string, place: SourcePath): Template {
  if (!text.includes('${')) return undefined
  const pieces = piecesOf(text)
  if (pieces === undefined) {
    reader.flaws.push({
      place,
      problem: `holds a \${ that is never closed; for the text itself, write $\${`,
    })
    return undefined
  }
  const parts = pieces.map((piece) =>
    'literal' in piece ? piece.literal : referenceIn(reader, piece.between, place),
  )
  const [lone] = parts
  if (parts.length === 1 && typeof lone === 'object') return (scope) => valueOf(lone, scope)
  return (scope) =>
    parts.map((part) => (typeof part === 'object' ? asText(valueOf(part, scope)) : part)).join('')
}

function referenceIn(reader: Reader, between: string, place: SourcePath): Reference | undefined {
  const read = readReference(between, reader.stepIds)
  if (!read.ok) {
    const shown = between.length > 128 ? `${between.slice(0, 128)}...` : between
    reader.flaws.push({ place, problem: `holds \${${shown}}, which ${read.problem}` })
    return undefined
  }
  reader.references.push({ ...read.reference, place })
  return read.reference
}

function valueOf({ text, step, path }: Reference, scope: ReferenceScope): JsonValue {
  let value = step === undefined ? scope.input : scope.outputOf(step)
  for (const key of path) {
    const wanted = Array.isArray(value) ? typeof key === 'number' : typeof key === 'string'
    if (!wanted || typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
      throw new MissingInputError(text)
    value = (value as Readonly<Record<string | number, JsonValue>>)[key]
  }
  if (value === undefined) throw new MissingInputError(text)
  return value
}

function asText(value: JsonValue): string {
  return typeof value === 'object' && value !== null ? canonicalJson(value) : String(value)
}
