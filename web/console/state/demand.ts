// A rule of light on demand as it is written: what a new one begins with, and whether it is whole.
import type { OnDemand } from '@lib/plans'
import { everyNight } from './programme'

/** As `OnDemand` on the post, for whoever walks; its author says the rest. */
export function freshOnDemand(area: string): OnDemand {
  return {
    name: '',
    level: 90,
    triggers: ['motion'],
    area,
    target: { streets: [], classes: [], assets: [], except_classes: [], except_assets: [] },
    ahead_m: 120,
    behind_m: 30,
    fade_s: 2,
    hold_s: 120,
    hours: [{ start: { by: 'clock', minute: 22 * 60 }, end: { by: 'clock', minute: 5 * 60 } }],
    when: everyNight(),
    raises_max: 60,
    minutes_max: 120,
    leave: '',
    answer: '',
  }
}

/** Whether nothing is left empty that the post wants to be said. */
export function isWholeRule(body: OnDemand): boolean {
  const days = (span: { first: string; last: string }): boolean => span.first !== '' && span.last !== ''
  return (
    body.name.trim() !== '' &&
    body.triggers.length > 0 &&
    body.hours.length > 0 &&
    body.when.seasons.every(days) &&
    body.when.dates.every(days)
  )
}
