// What the console must know of a kind of plan to write it: its name at the post, what a new one says, when it is whole.
import type { OnDemand, Programme, Target } from '@lib/plans'
import { t } from '@lib/i18n.svelte'
import { ruleDifferences } from '../demand/words'
import { differences } from '../programmes/words'
import { freshOnDemand, isWholeRule } from './demand'
import { freshProgramme, isWhole } from './programme'

/** What every document of lighting says. */
export interface Written {
  name: string
  area: string
  target: Target
  answer: string
}

/** What two texts differ in: the key of what it is called, and what each says. */
export interface Difference {
  part: string
  mine: string
  theirs: string
}

export interface Form<B extends Written> {
  kind: string
  /** The question that tells what is wrong with a draft. */
  check: string
  /** What its texts begin with where they name it. */
  words: string
  fresh: (area: string) => B
  isWhole: (body: B) => boolean
  differences: (mine: B, theirs: B) => Difference[]
}

export const PROGRAMMES: Form<Programme> = {
  kind: 'lighting.programme',
  check: 'check',
  words: 'console.plans',
  fresh: (area) => freshProgramme(area, t('console.plans.rule.fresh')),
  isWhole,
  differences,
}

export const RULES: Form<OnDemand> = {
  kind: 'lighting.on_demand',
  check: 'check_rule',
  words: 'console.demand',
  fresh: freshOnDemand,
  isWhole: isWholeRule,
  differences: ruleDifferences,
}
