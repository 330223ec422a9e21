import { button } from './dom.ts'

const storageKey = 'faultline-theme'

/** Follows the system until somebody chooses; the choice is kept where the browser lets pages from disk keep anything. */
export function themeButton(): HTMLButtonElement {
  const root = document.documentElement
  const set = (theme: string): void => {
    root.dataset['theme'] = theme
    toggle.setAttribute('aria-pressed', String(theme === 'dark'))
  }
  const toggle = button(
    'Dark',
    () => {
      const theme = root.dataset['theme'] === 'dark' ? 'light' : 'dark'
      set(theme)
      stored((storage) => storage.setItem(storageKey, theme))
    },
    { title: 'Light or dark (t)' },
  )
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  set(stored((storage) => storage.getItem(storageKey)) ?? system)
  return toggle
}

function stored<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(localStorage)
  } catch {
    return undefined
  }
}
