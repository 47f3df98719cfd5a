// What the sheet of a case shows beyond what all cases have, by kind. A kind that is not here has nothing more to show.
import type { Component } from 'svelte'
import type { CaseSheet } from '@lib/cases'
import type { CaseFile } from '../state/casefile.svelte'
import BuriedPart from '../works/BuriedPart.svelte'
import WorksPart from '../works/WorksPart.svelte'
import CaseReport from './CaseReport.svelte'
import CaseWork from './CaseWork.svelte'

/** may: whether this person may work on it now. */
export type CasePart = Component<{ file: CaseFile; sheet: CaseSheet; may: boolean }>

export const PARTS: Readonly<Record<string, CasePart>> = {
  'roads.buried': BuriedPart,
  'roads.report': CaseReport,
  'roads.roadworks': WorksPart,
  'roads.work_order': CaseWork,
}
