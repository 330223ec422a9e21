import { describe, expect, test } from 'vitest'
import { containedPath } from '../../../src/core/index.ts'

describe('a path that came from outside', () => {
  test.each([
    ['docs\\api\\index.md', 'docs/api/index.md'],
    ['.\\dist\\app.js', 'dist/app.js'],
    ['dist/./app.js', 'dist/app.js'],
    ['dist//app.js', 'dist/app.js'],
  ])('is brought into one form on every system: %s', (path, normal) => {
    expect(containedPath(path)).toBe(normal)
  })

  test.each([
    'C:\\work\\app.js',
    'c:app.js',
    '\\\\server\\share\\app.js',
    '\\app.js',
    '/app.js',
    '..\\app.js',
    'dist\\..\\..\\app.js',
    'dist/../app.js',
    'app.js\0.txt',
    '.',
    '',
  ])('is refused when it may leave its folder on some system: %j', (path) => {
    expect(() => containedPath(path, 'artifact')).toThrow(`The artifact '${path}' leaves its folder`)
  })
})
