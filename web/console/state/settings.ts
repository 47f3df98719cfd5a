// What is set by hand for the roads: each kind as a new one begins, when it is whole, and at which part of its form a finding
// of the post is said.
import { dayOf } from '@lib/format'
import type { Circuit, Coordination, Fence, Occasion, Preventive } from '@lib/settings'
import { circuitDifferences, coordinationDifferences, fenceDifferences, occasionDifferences, preventiveDifferences } from '../settings/words'
import { clock } from './clock.svelte'
import { BY_KIND, type Form } from './forms'
import { ROADS } from './rounds.svelte'

export const OCCASIONS: Form<Occasion> = {
  kind: 'roads.occasion',
  service: ROADS,
  check: BY_KIND,
  words: 'console.settings.occasion',
  at: {
    'roads.occasion_name': 'name',
    'roads.occasion_street': 'streets',
    'roads.occasion_elsewhere': 'streets',
    'roads.occasion_hours': 'hours',
    'roads.occasion_days': 'last',
    'roads.occasion_always': 'hours',
  },
  fresh: (area) => ({ name: '', kind: 'market', streets: [], area, hours: 'sat 06:00-14:00', first: '', last: '', answer: '' }),
  isWhole: (body) => body.name.trim() !== '' && body.streets.length > 0,
  title: (body) => body.name,
  answer: (body) => body.answer,
  differences: occasionDifferences,
}

export const COORDINATIONS: Form<Coordination> = {
  kind: 'roads.coordination',
  service: ROADS,
  check: BY_KIND,
  words: 'console.settings.coordination',
  at: { 'roads.coordination_twice': 'year', 'roads.coordination_day': 'asked_by', 'roads.coordination_late': 'asked_by' },
  fresh(area) {
    const year = Number(dayOf(clock.now).slice(0, 4)) + 1
    return { year, asked_by: `${year - 1}-10-31`, area, answer: '' }
  },
  isWhole: (body) => body.asked_by !== '',
  title: (body) => String(body.year),
  answer: (body) => body.answer,
  differences: coordinationDifferences,
}

export const CIRCUITS: Form<Circuit> = {
  kind: 'roads.circuit',
  service: ROADS,
  check: BY_KIND,
  words: 'console.settings.circuit',
  at: {
    'roads.circuit_name': 'name',
    'roads.circuit_hours': 'hours',
    'roads.circuit_station': 'station',
    'roads.no_such_street': 'streets',
    'roads.street_elsewhere': 'streets',
    'roads.against_one_way': 'streets',
    'roads.street_twice': 'streets',
    'roads.circuit_gap': 'streets',
  },
  fresh: (area) => ({ name: '', task: 'sweeping', streets: [], area, hours: 'mon-fri 05:00-11:00', station: '', answer: '' }),
  isWhole: (body) => body.name.trim() !== '' && body.streets.length > 0,
  title: (body) => body.name,
  answer: (body) => body.answer,
  differences: circuitDifferences,
}

export const PREVENTIVES: Form<Preventive> = {
  kind: 'roads.preventive',
  service: ROADS,
  check: BY_KIND,
  words: 'console.settings.preventive',
  at: {
    'roads.preventive_name': 'name',
    'roads.preventive_kind': 'kind',
    'roads.preventive_nobody': 'kind',
    'roads.preventive_day': 'since',
    'roads.preventive_ahead': 'ahead_days',
    'roads.preventive_hours': 'hours',
  },
  fresh: (area) => ({
    name: '',
    kind: '',
    category: 'lighting',
    every_days: 365,
    since: `${dayOf(clock.now).slice(0, 4)}-01-01`,
    ahead_days: 30,
    priority: 4,
    area,
    takes_min: 30,
    skills: null,
    checklist: [],
    hours: '',
    answer: '',
  }),
  isWhole: (body) => body.name.trim() !== '' && body.kind !== '' && body.since !== '',
  title: (body) => body.name,
  answer: (body) => body.answer,
  differences: preventiveDifferences,
}

/** As many corners as make an outline. */
export const CORNERS_MIN = 3

export const FENCES: Form<Fence> = {
  kind: 'roads.fence',
  service: ROADS,
  check: BY_KIND,
  words: 'console.settings.fence',
  at: { 'roads.fence_name': 'name', 'roads.fence_crosses': 'corners' },
  fresh: (area) => ({ name: '', corners: [], area, answer: '' }),
  isWhole: (body) => body.name.trim() !== '' && body.corners.length >= CORNERS_MIN,
  title: (body) => body.name,
  answer: (body) => body.answer,
  differences: fenceDifferences,
}
