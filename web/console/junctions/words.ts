// What is said of junctions.
import { number } from '@lib/format'
import { pair, t, tn } from '@lib/i18n.svelte'
import { courseOf, type Finding, type JunctionDocument, type JunctionLevel, type JunctionRow } from '@lib/junctions'

type Described = Pick<JunctionDocument['site']['junction'], 'groups' | 'movements'>

const OFF = new Set<unknown>(['dark', 'flashing'])

/** Whether its signals are dark or flash. */
export function isOff(row: JunctionRow): boolean {
  return OFF.has(row.mode?.value)
}

/** Whether what was abnormal is over, and waits for somebody to have seen it. */
export function isOver(state: string): boolean {
  return state.startsWith('returned')
}

/** What is wrong at a junction, the worst first; '' for nothing. */
export function wrongText(row: JunctionRow): string {
  const said = row.conditions.map(({ condition, state }) => {
    const word = t(`condition.${condition}`)
    return isOver(state) ? pair(word, t(`state.alarm.${state}`)) : word
  })
  if (row.fallen) said.push(t('console.junctions.fallen'))
  if (row.findings.some((each) => each.refuses)) said.push(tn('console.junctions.wrong', row.findings.length))
  else if (row.version === null) said.push(t(row.draft !== null ? 'console.junctions.draft' : 'console.junctions.none'))
  return said.join(' · ')
}

/** From how many of the detectors before a junction its level of service is known; short: where there is little room. */
export function levelText(level: JunctionLevel | null, short = false): string {
  if (level === null) return t('console.junctions.uncounted')
  if (!level.measured) return tn('console.junctions.mute', level.counted)
  return t(short ? 'console.junctions.measured.short' : 'console.junctions.measured', { n: number(level.measured), all: number(level.counted) })
}

/** A group by where its ways come from and how they turn; by its own name where that is not known. */
export function groupName(junction: Described | null, group: number): string {
  const known = junction?.groups[group]
  if (!junction || !known) return t('console.junction.group', { n: group + 1 })
  const course = courseOf(junction.movements, group)
  if (!course) return known.name
  const side = t(`console.junction.side.${course.side}`)
  if (known.users === 'pedestrians') return pair(t('console.junction.users.pedestrians'), side)
  const turns = course.turns.map((each) => t(`console.junction.turn.${each}`)).join(', ')
  const from = known.users === 'vehicles' ? side : `${t(`console.junction.users.${known.users}`)}, ${side}`
  return pair(from, turns)
}

/** The same with its number before it. */
export function groupText(junction: Described | null, group: number): string {
  const name = groupName(junction, group)
  return junction?.groups[group] ? `${number(group + 1)} · ${name}` : name
}

/** A letter of what a group shows, in a word. */
export function letterWord(letter: string): string {
  const word = WORDS[letter]
  return word ? t(`console.junction.shows.${word}`) : t('console.unknown')
}

const WORDS: Record<string, string> = {
  R: 'red',
  Y: 'yellow',
  G: 'green',
  U: 'red_yellow',
  F: 'flashing',
  B: 'flashing_red',
  X: 'dark',
  S: 'starting',
  '-': 'none',
}

export function findingText(finding: Finding): string {
  return t(`finding.${finding.rule}`, finding.detail)
}
