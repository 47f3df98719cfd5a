// A programme in words: its moments, nights and lamps as a person says them; and what all plans have.
import { clock, day, dayBegins, longDay, monthName, quantity, weekdayName } from '@lib/format'
import { language, pair, t, tn } from '@lib/i18n.svelte'
import type { Days, Finding, Moment, Programme, Rank, Rule, Target, When, Window } from '@lib/plans'
import { city } from '../state/city.svelte'
import type { Difference } from '../state/forms'

export function rankWord(rank: Rank | ''): string {
  return rank ? t(`console.plans.rank.${rank}`) : ''
}

export function placeWord(area: string): string {
  return area ? city.areaName(area) : t('console.plans.area.all')
}

/** 03:05, from minutes after midnight. */
export function minuteText(minute: number): string {
  const [h, m] = [Math.floor(minute / 60), Math.round(minute % 60)]
  return `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`
}

export function momentText(moment: Moment): string {
  if (moment.by === 'clock') return minuteText(moment.minute)
  const word = t(`console.plans.moment.${moment.by}`)
  if (moment.offset_min === 0) return word
  return `${word} ${moment.offset_min > 0 ? '+' : '\u2212'} ${quantity(Math.abs(moment.offset_min), 'min')}`
}

export function windowText(window: Window): string {
  return pair(`${momentText(window.start)} – ${momentText(window.end)}`, quantity(window.level, '%'))
}

function joined(words: string[]): string {
  return new Intl.ListFormat(language(), { type: 'conjunction' }).format(words)
}

/** 14 juillet, from 07-14. */
export function monthDayText(text: string): string {
  const [month, number] = text.split('-').map(Number)
  return `${number} ${monthName(month ?? 1)}`
}

function spanText(span: Days, word: (text: string) => string): string {
  if (span.first === span.last) return word(span.first)
  return t('console.plans.when.span', { first: word(span.first), last: word(span.last) })
}

const dateText = (text: string): string => (text ? longDay(dayBegins(text, 720)) : '…')

/** Which nights: "ven. et sam.; veille de jour férié". */
export function whenText(when: When): string {
  const said: string[] = []
  if (when.weekdays.length) said.push(joined([...when.weekdays].sort().map((each) => weekdayName(each))))
  for (const name of ['public_holiday', 'eve', 'school_holiday'] as const) {
    if (when[name] !== null) said.push(t(`console.plans.when.${name}.${when[name] ? 'yes' : 'no'}`))
  }
  if (when.seasons.length) said.push(joined(when.seasons.map((span) => spanText(span, monthDayText))))
  if (when.dates.length) said.push(joined(when.dates.map((span) => spanText(span, dateText))))
  return said.length ? said.join(' · ') : t('console.plans.when.always')
}

export function ruleText(rule: Rule): string {
  return [`${rule.name} (${whenText(rule.when)})`, ...rule.windows.map(windowText)].join('\n')
}

export function targetText(target: Target): string {
  const said = [...target.streets, ...target.classes]
  if (target.assets.length) said.push(tn('console.plans.target.assets', target.assets.length))
  const without = [...target.except_classes]
  if (target.except_assets.length) without.push(tn('console.plans.target.assets', target.except_assets.length))
  const all = said.length ? joined(said) : t('console.plans.target.all')
  return without.length ? t('console.plans.target.without', { all, without: joined(without) }) : all
}

export function switchingText({ switching }: Programme): string {
  if (!switching) return t('console.plans.switching.under')
  if (switching.always) return t('console.plans.switching.always')
  const minutes = `${quantity(switching.evening_min, 'min')}, ${quantity(switching.morning_min, 'min')}`
  return `${t('console.plans.switching.sun')} ${quantity(switching.sun_deg, 'deg')} (${minutes})`
}

export function decisionText({ decision }: Programme): string {
  if (!decision) return t('console.plans.decision.none')
  return [decision.number, decision.date, decision.signatory, decision.hours, decision.signs].join(' · ')
}

/** What is wrong, in a sentence. */
export function findingText({ rule, detail, count }: Finding): string {
  const area = detail['area']
  return t(`finding.${rule}`, { count, ...detail, ...(area === undefined ? {} : { area: city.areaName(String(area)) }) })
}

/** When something was saved: the day and the time. */
export function stampText(at: string): string {
  return `${day(at)}, ${clock(at)}`
}

/** What two texts differ in: what it is called, and what each says. */
export function differences(mine: Programme, theirs: Programme): Difference[] {
  const say: Record<string, (body: Programme) => string> = {
    name: (body) => body.name,
    rank: (body) => rankWord(body.rank),
    area: (body) => placeWord(body.area),
    target: (body) => targetText(body.target),
    switching: switchingText,
    rules: (body) => body.rules.map(ruleText).join('\n'),
    decision: decisionText,
    answer: (body) => body.answer,
  }
  return differing(say, mine, theirs, 'console.plans.part')
}

/** Where two texts say something else. say: each part in words; words: what the keys of their names begin with. */
export function differing<B>(say: Record<string, (body: B) => string>, mine: B, theirs: B, words: string): Difference[] {
  return Object.entries(say)
    .map(([part, word]) => ({ part: `${words}.${part}`, mine: word(mine), theirs: word(theirs) }))
    .filter((each) => each.mine !== each.theirs)
}
