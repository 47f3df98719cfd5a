// One catalogue for the whole post: src/vigie/texts. The domain's words and the console's own are files of it.
import { number } from './format'

export type Language = 'fr' | 'en'
export const LANGUAGES: readonly Language[] = ['fr', 'en']

type Texts = Record<string, string>
type Values = Record<string, string | number | null | undefined>

const files = import.meta.glob<Texts>('@texts/*.json', { import: 'default' })

let texts = $state.raw<Texts>({})
let current = $state<Language>('fr')

let only: readonly string[] | null = null

/** Takes no more of the catalogue than these parts of it; `` is what all pages share. */
export function speakOnly(parts: readonly string[]): void {
  only = parts
}

/** Loads the words of a language and shows them; what is on screen changes by itself. */
export async function speak(language: Language): Promise<void> {
  const own = Object.entries(files).filter(([path]) => {
    const [lead, ...rest] = path.slice(path.lastIndexOf('/') + 1).split('.')
    const part = rest.slice(0, -1).join('.')
    return lead === language && (only === null || only.includes(part))
  })
  const parts = await Promise.all(own.map(([, load]) => load()))
  texts = Object.assign({}, ...parts) as Texts
  current = language
  document.documentElement.lang = language
}

/** The language on screen. */
export function language(): Language {
  return current
}

/** Whether the catalogue has this key. */
export function has(key: string): boolean {
  return key in texts
}

/** The words under a key, with `{gaps}` filled in. A key without words shows its own last part. */
export function t(key: string, values: Values = {}): string {
  const text = texts[key]
  if (text === undefined) return key.slice(key.lastIndexOf('.') + 1).replaceAll('_', ' ')
  return text.replace(/\{(\w+)\}/g, (gap, name: string) => {
    const value = values[name]
    if (value === undefined || value === null) return gap
    return typeof value === 'number' ? number(value) : value
  })
}

/** Whether a count takes the singular: in French none does, as one does. */
export function isOne(n: number): boolean {
  return new Intl.PluralRules(current).select(n) === 'one'
}

/** The words for a count: `key.one` or `key.other`, as the language counts. `{n}` is the count. */
export function tn(key: string, n: number, values: Values = {}): string {
  return t(`${key}.${isOne(n) ? 'one' : 'other'}`, { n, ...values })
}

/** A name and what it says, joined as the language joins them. */
export function pair(name: string, value: string): string {
  return t('console.pair', { name, value })
}

/** The first key that the catalogue has, or the first of them. */
export function tFirst(...keys: string[]): string {
  return t(keys.find(has) ?? keys[0] ?? '')
}
