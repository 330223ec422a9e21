import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'

/** Judges manifests by the JSON Schema that a package brings: what is wrong with one, or nothing. */
export function publishedSchema(packageFolder: string): (manifest: unknown) => readonly string[] {
  const schema = JSON.parse(readFileSync(join(packageFolder, 'docs/bundle.schema.json'), 'utf8')) as object
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema)
  return (manifest) =>
    validate(manifest)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)
}
