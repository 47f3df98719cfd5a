// A rule of light on demand in words, as a person says it.
import { clock, quantity } from '@lib/format'
import { t, tn } from '@lib/i18n.svelte'
import type { Hours, OnDemand, RuleTonight, Trigger } from '@lib/plans'
import { differing, momentText, placeWord, targetText, whenText } from '../programmes/words'
import type { Difference } from '../state/forms'

export const TRIGGER_ICONS: Record<Trigger, string> = { motion: 'motion_sensor', bus: 'bus' }

export function triggersText({ triggers }: Pick<OnDemand, 'triggers'>): string {
  return triggers.map((each) => t(`console.demand.trigger.${each}`)).join(' · ')
}

export function hoursText(hours: Hours[]): string {
  return hours.map(({ start, end }) => `${momentText(start)} – ${momentText(end)}`).join(', ')
}

export function reachText(body: OnDemand): string {
  return t('console.demand.reach.text', { ahead: quantity(body.ahead_m, 'm'), behind: quantity(body.behind_m, 'm') })
}

export function lastsText(body: OnDemand): string {
  return t('console.demand.lasts.text', { hold: quantity(body.hold_s, 's'), fade: quantity(body.fade_s, 's') })
}

export function capText(body: OnDemand): string {
  return t('console.demand.cap.text', { raises: body.raises_max, minutes: quantity(body.minutes_max, 'min') })
}

/** What a rule does at this moment, in a few words. */
export function nowText(row: RuleTonight, nowMs: number): string {
  if (row.lit > 0) return tn('console.demand.lit', row.lit)
  if (row.now) return t('console.demand.waiting')
  const next = row.hours.find(([from]) => from * 1_000 > nowMs)
  return next ? t('console.demand.from', { at: clock(next[0] * 1_000) }) : t('console.demand.over')
}

/** What it has done in the night, in a few words. */
export function doneText(row: RuleTonight): string {
  if (row.last === null) return t('console.demand.nothing')
  return [tn('console.demand.raises', row.raises), t('console.demand.last', { at: clock(row.last * 1_000) })].join(' · ')
}

export function ruleDifferences(mine: OnDemand, theirs: OnDemand): Difference[] {
  const say: Record<string, (body: OnDemand) => string> = {
    name: (body) => body.name,
    area: (body) => placeWord(body.area),
    target: (body) => targetText(body.target),
    triggers: triggersText,
    level: (body) => quantity(body.level, '%'),
    reach: reachText,
    lasts: lastsText,
    hours: (body) => `${hoursText(body.hours)}\n${whenText(body.when)}`,
    cap: capText,
    leave: (body) => body.leave,
    answer: (body) => body.answer,
  }
  return differing(say, mine, theirs, 'console.demand.part')
}
