// What is set by hand for the roads, in words.
import type { Circuit, CircuitStreet, CircuitWay, Coordination, Fence, Occasion, Preventive } from '@lib/settings'
import type { PlanRow } from '@lib/plans'
import { number, quantity } from '@lib/format'
import { has, t, tn } from '@lib/i18n.svelte'
import type { Street } from '@lib/works'
import { categoryWord, priorityWord } from '../cases/words'
import { differing, findingText, placeWord } from '../programmes/words'
import type { Drafting } from '../state/drafting.svelte'
import type { Difference, Written } from '../state/forms'
import { cornerText } from '../state/corners'
import { streets } from '../state/streets.svelte'
import type { SettingKind } from '../state/view.svelte'
import { betweenWord, dayWord, hoursWord } from '../works/words'

/** From its first to its last day. */
export function daysWord(first: string, last: string): string {
  if (first && last) return first === last ? dayWord(first) : t('console.works.days', { from: dayWord(first), to: dayWord(last) })
  if (first) return t('console.settings.from', { day: dayWord(first) })
  return last ? t('console.settings.until', { day: dayWord(last) }) : t('console.settings.always')
}

export function streetsWord(count: number): string {
  return tn('console.works.streets', count)
}

export function cornersWord(count: number): string {
  return tn('console.settings.fence.corners', count)
}

/** When a circuit is driven. */
export function turnsWord(hours: string): string {
  return hours ? hoursWord(hours) : t('console.settings.circuit.hours.none')
}

/** Which way a circuit goes through a street: towards what it meets at an end of it, where that tells the ends apart. */
export function wayWord(way: CircuitWay, street: Street | undefined): string {
  if (way === 'along' || way === 'against') {
    const { begins_at: begin, ends_at: end } = street ?? { begins_at: '', ends_at: '' }
    const to = way === 'along' ? end : begin
    return to && begin !== end ? t(`console.settings.circuit.way.${way}`, { to }) : t(`console.settings.circuit.way.${way}.unnamed`)
  }
  return t(`console.settings.circuit.way.${way}`)
}

/** By when of a turn a street of a circuit is to be done. */
export function dueWord(minutes: number): string {
  return `${t('console.settings.circuit.due')} ${quantity(minutes, 'min')}`
}

export function everyWord(days: number): string {
  return t('console.settings.preventive.every.days', { days: tn('console.settings.days', days) })
}

/** What a crew must be able to do; null: what the category asks. */
export function skillsWord(skills: readonly string[] | null): string {
  if (skills === null) return t('console.settings.preventive.skills.category')
  return skills.map((each) => (has(`console.case.skill.${each}`) ? t(`console.case.skill.${each}`) : each)).join(', ') || '–'
}

const BRIEF: Record<SettingKind, (brief: PlanRow['brief']) => string[]> = {
  occasion: ({ kind, hours, first, last, streets }) => [
    t(`console.settings.occasion.kind.${kind}`),
    first || last ? daysWord(String(first), String(last)) : '',
    hoursWord(String(hours)),
    streetsWord(Number(streets)),
  ],
  circuit: ({ task, hours, streets }) => [t(`console.rounds.task.${task}`), turnsWord(String(hours)), streetsWord(Number(streets))],
  preventive: ({ kind, category, every_days: days }) => [t(`kind.${kind}.many`), categoryWord(String(category)), everyWord(Number(days))],
  fence: ({ corners }) => [cornersWord(Number(corners))],
  coordination: ({ asked_by: day }) => [t('console.works.year.asked_by', { at: dayWord(String(day)) })],
}

/** What a list says of it beside its name. */
export function briefText(kind: SettingKind, { brief }: PlanRow): string {
  return BRIEF[kind](brief).filter(Boolean).join(' · ')
}

/** What is wrong at a part of a form: what the check has found there and is not answered for, and what the post could not
    read. */
export function wrongAt<B extends Written>(drafting: Drafting<B>, part: string): string[] {
  const { at, answer } = drafting.form
  const answered = answer(drafting.draft.body).trim() !== ''
  const open = (drafting.checked?.findings ?? []).filter((each) => at?.[each.rule] === part && (each.refuses || !answered))
  const found = drafting.whole ? open.map(findingText) : []
  return drafting.refused?.part === part ? [drafting.refused.text, ...found] : found
}

export function occasionDifferences(mine: Occasion, theirs: Occasion): Difference[] {
  const say: Record<string, (body: Occasion) => string> = {
    name: (body) => body.name,
    area: (body) => placeWord(body.area),
    kind: (body) => t(`console.settings.occasion.kind.${body.kind}`),
    days: (body) => daysWord(body.first, body.last),
    hours: (body) => hoursWord(body.hours),
    streets: (body) => streetsDiffering(body.streets, (body === mine ? theirs : mine).streets, String, streetWord),
    answer: (body) => body.answer,
  }
  return differing(say, mine, theirs, 'console.settings.part')
}

export function coordinationDifferences(mine: Coordination, theirs: Coordination): Difference[] {
  const say: Record<string, (body: Coordination) => string> = {
    year: (body) => String(body.year),
    asked_by: (body) => dayWord(body.asked_by),
    area: (body) => placeWord(body.area),
    answer: (body) => body.answer,
  }
  return differing(say, mine, theirs, 'console.settings.part')
}

export function circuitDifferences(mine: Circuit, theirs: Circuit): Difference[] {
  const say: Record<string, (body: Circuit) => string> = {
    name: (body) => body.name,
    task: (body) => t(`console.rounds.task.${body.task}`),
    area: (body) => placeWord(body.area),
    hours: (body) => turnsWord(body.hours),
    station: (body) => body.station || t('console.settings.circuit.station.nearest'),
    streets: (body) => streetsDiffering(body.streets, (body === mine ? theirs : mine).streets, throughKey, throughWord),
    order: (body) => orderDiffering(body.streets, (body === mine ? theirs : mine).streets),
    answer: (body) => body.answer,
  }
  return differing(say, mine, theirs, 'console.settings.part')
}

export function preventiveDifferences(mine: Preventive, theirs: Preventive): Difference[] {
  const say: Record<string, (body: Preventive) => string> = {
    name: (body) => body.name,
    assets: (body) => t(`kind.${body.kind}.many`),
    category: (body) => categoryWord(body.category),
    every: (body) => everyWord(body.every_days),
    since: (body) => dayWord(body.since),
    ahead: (body) => tn('console.settings.days', body.ahead_days),
    priority: (body) => priorityWord(body.priority),
    area: (body) => placeWord(body.area),
    takes: (body) => quantity(body.takes_min, 'min'),
    skills: (body) => skillsWord(body.skills),
    hours: (body) => hoursWord(body.hours),
    checklist: (body) => body.checklist.join('\n'),
    answer: (body) => body.answer,
  }
  return differing(say, mine, theirs, 'console.settings.part')
}

export function fenceDifferences(mine: Fence, theirs: Fence): Difference[] {
  const say: Record<string, (body: Fence) => string> = {
    name: (body) => body.name,
    area: (body) => placeWord(body.area),
    corners: (body) => cornersDiffering(body, body === mine ? theirs : mine),
    answer: (body) => body.answer,
  }
  return differing(say, mine, theirs, 'console.settings.part')
}

/** How many corners, and which of them the other text does not have. */
function cornersDiffering(own: Fence, other: Fence): string {
  const there = new Set(other.corners.map(cornerText))
  return [cornersWord(own.corners.length), ...own.corners.map(cornerText).filter((each) => !there.has(each)).slice(0, 5)].join('\n')
}

/** What a street is called and between which others it lies; its id where that is not known, or not enough. */
function streetWord(id: string): string {
  const street = streets.known.get(id)
  if (!street?.name) return id
  const said = (each: Street): string => [each.name, betweenWord(each)].filter(Boolean).join(' ')
  const twin = [...streets.known.values()].some((each) => each.street !== id && said(each) === said(street))
  return twin ? `${said(street)} · ${id}` : said(street)
}

const throughKey = ({ street, way, due_min: due }: CircuitStreet): string => [street, way, due].join(' ')

function throughWord({ street, way, due_min: due }: CircuitStreet): string {
  return [streetWord(street), way === 'either' ? '' : wayWord(way, streets.known.get(street)), due === null ? '' : dueWord(due)].filter(Boolean).join(' · ')
}

/** How many streets, and which of them the other text does not have. */
function streetsDiffering<S>(own: readonly S[], other: readonly S[], key: (each: S) => string, told: (each: S) => string): string {
  const there = new Set(other.map(key))
  return [streetsWord(own.length), ...own.filter((each) => !there.has(key(each))).slice(0, 5).map(told)].join('\n')
}

/** Which street comes at the first place where another comes in the other text; '' where there is no such place. */
function orderDiffering(own: readonly CircuitStreet[], other: readonly CircuitStreet[]): string {
  const at = Array.from({ length: Math.max(own.length, other.length) }, (_, n) => n).find((n) => own[n]?.street !== other[n]?.street)
  if (at === undefined) return ''
  const street = own[at]
  return `${number(at + 1)}. ${street ? throughWord(street) : '–'}`
}
