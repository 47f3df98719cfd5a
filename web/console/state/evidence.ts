// What a condition was found by, in words: what was seen beside what was expected, how sure it is, which causes are likely.
// A key that the catalogue has no word for is shown as it is.
import { quantity } from '@lib/format'
import { has, pair, t, tFirst } from '@lib/i18n.svelte'
import { city } from './city.svelte'
import { pointWord, valueText } from './words'

type Told = Record<string, number | string | boolean>

export interface Line {
  key: string
  word: string
  seen: string
  /** '' where nothing was expected of it. */
  expected: string
}

export interface Cause {
  word: string
  confidence: string
  because: string
}

export interface Evidence {
  lines: Line[]
  /** The likeliest first. */
  causes: Cause[]
  /** Ids of lamps that it is about: the first of them. */
  lamps: string[]
  /** '' where it is not said. */
  confidence: string
  /** The point whose history shows it, and what it was expected to be; null where the evidence names none. */
  point: string | null
  expected: number | null
}

const EXPECTED = 'expected_'
const CAUSE = /^cause_\d+(_|$)/
const LAMPS = 'first_lamps'
const CONFIDENCE = 'confidence'
/** The unit that a key names last, as every name here does. */
const UNIT = /_(min|h|s|deg|m|W|kWh)$/

export function readEvidence(kind: string, told: Told): Evidence {
  const points = city.kind(kind)?.points ?? {}
  const own = Object.keys(told).filter(
    (key) => !key.startsWith(EXPECTED) && !CAUSE.test(key) && key !== LAMPS && key !== CONFIDENCE,
  )
  const drawn = own.filter((key) => points[key] && points[key].sort !== 'place' && points[key].sort !== 'text')
  const point = drawn.find((key) => EXPECTED + key in told) ?? drawn[0] ?? null
  const expected = point === null ? undefined : told[EXPECTED + point]
  // Something may be expected of which nothing was seen.
  const alone = Object.keys(told).filter((key) => key.startsWith(EXPECTED) && !(key.slice(EXPECTED.length) in told))
  return {
    lines: [
      ...own.map((key) => ({
        key,
        word: wordOf(kind, key),
        seen: textOf(kind, key, told[key]!),
        expected: EXPECTED + key in told ? textOf(kind, key, told[EXPECTED + key]!) : '',
      })),
      ...alone.map((key) => ({ key, word: wordOf(kind, key.slice(EXPECTED.length)), seen: '', expected: textOf(kind, key.slice(EXPECTED.length), told[key]!) })),
    ],
    causes: causesOf(told),
    lamps: String(told[LAMPS] ?? '').split(',').map((id) => id.trim()).filter(Boolean),
    confidence: typeof told[CONFIDENCE] === 'number' ? quantity(told[CONFIDENCE], '%') : '',
    point,
    expected: typeof expected === 'number' ? expected : null,
  }
}

/** All of it in one line, for lists. */
export function evidenceText(kind: string, told: Told): string {
  const { lines, causes, confidence } = readEvidence(kind, told)
  const said = lines.map(({ word, seen, expected }) => {
    const both = expected ? [seen, t('console.evidence.expected', { value: expected })].filter(Boolean).join(' ') : seen
    return pair(word, both)
  })
  if (causes[0]) said.push([causes[0].word, causes[0].confidence].filter(Boolean).join(' '))
  if (confidence) said.push(pair(t('console.evidence.confidence'), confidence))
  return said.join(' · ')
}

function causesOf(told: Told): Cause[] {
  const found: Cause[] = []
  for (let n = 1; `cause_${n}` in told; n++) {
    const cause = String(told[`cause_${n}`])
    const sure = told[`cause_${n}_confidence`]
    const because = String(told[`cause_${n}_because`] ?? '')
    found.push({
      word: has(`cause.${cause}`) ? t(`cause.${cause}`) : plain(cause),
      confidence: typeof sure === 'number' ? quantity(sure, '%') : '',
      because: has(`because.${because}`) ? t(`because.${because}`) : plain(because),
    })
  }
  return found
}

function wordOf(kind: string, key: string): string {
  if (city.kind(kind)?.points[key]) return pointWord(kind, key)
  const known = [`evidence.${key}`, `point.${kind}.${key}`].find(has)
  return known ? t(known) : plain(key.replace(UNIT, ''))
}

function textOf(kind: string, key: string, value: number | string | boolean): string {
  if (city.kind(kind)?.points[key]) return valueText(kind, key, value)
  if (typeof value === 'number') return quantity(value, UNIT.exec(key)?.[1] ?? '')
  if (typeof value === 'boolean') return t(value ? 'console.yes' : 'console.no')
  const known = [`evidence.${key}.${value}`, `choice.${kind}.fault.${value}`].find(has)
  return known ? tFirst(known) : value
}

function plain(word: string): string {
  return word.replaceAll('_', ' ')
}
