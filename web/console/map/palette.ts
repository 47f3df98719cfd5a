// The map's colours, which WebGL and canvas cannot take from the style sheet. Same hues as lib/tokens.css.
import type { Theme } from '@lib/prefs.svelte'

export interface Palette {
  ground: string
  land: string
  border: string
  green: string
  water: string
  building: string
  buildingLine: string
  street: string
  streetMain: string
  streetSmall: string
  transit: string
  label: string
  labelArea: string
  labelStrong: string
  halo: string
  lampLit: string
  lampOff: string
  unknown: string
  p1: string
  p1Ink: string
  p2: string
  p2Ink: string
  p3: string
  p3Ink: string
  maintenance: string
  order: string
  asset: string
  assetLine: string
  assetInk: string
  mover: string
  coneNear: string
  coneFar: string
  select: string
  signalRed: string
  signalAmber: string
  signalGreen: string
}

const DARK: Palette = {
  ground: '#070a0e',
  land: '#0c1117',
  border: '#2a3743',
  green: '#0d1714',
  water: '#0c1a2a',
  building: '#131a22',
  buildingLine: '#1d2731',
  street: '#1d2630',
  streetMain: '#2b3742',
  streetSmall: '#161d25',
  transit: '#4a5a69',
  label: '#9dabb8',
  labelArea: '#b9c5d0',
  labelStrong: '#dfe6ec',
  halo: '#080c11',
  lampLit: '#ffd59b',
  lampOff: '#3c4854',
  unknown: '#6d8296',
  p1: '#ff5c55',
  p1Ink: '#1c0302',
  p2: '#ffc233',
  p2Ink: '#201500',
  p3: '#e3a2ea',
  p3Ink: '#1e0722',
  maintenance: '#9db0c3',
  order: '#4cc7d9',
  asset: '#1b242e',
  assetLine: '#8494a3',
  assetInk: '#d5dee6',
  mover: '#b9c8d6',
  coneNear: 'rgba(160, 190, 220, 0.22)',
  coneFar: 'rgba(160, 190, 220, 0)',
  select: '#8ec5ff',
  signalRed: '#ff4f47',
  signalAmber: '#ffb52e',
  signalGreen: '#3ddc84',
}

const LIGHT: Palette = {
  ground: '#dfe3e7',
  land: '#eceff1',
  border: '#a8b3bd',
  green: '#dfe8e0',
  water: '#cfdde8',
  building: '#dde2e6',
  buildingLine: '#ccd3d9',
  street: '#ffffff',
  streetMain: '#ffffff',
  streetSmall: '#f7f8f9',
  transit: '#8794a1',
  label: '#4c5965',
  labelArea: '#3a4752',
  labelStrong: '#1f2933',
  halo: '#f2f4f6',
  lampLit: '#e08a00',
  lampOff: '#9aa5b0',
  unknown: '#66788a',
  p1: '#c3211b',
  p1Ink: '#ffffff',
  p2: '#f0a400',
  p2Ink: '#241700',
  p3: '#9a3fa5',
  p3Ink: '#ffffff',
  maintenance: '#5b6c7d',
  order: '#00718a',
  asset: '#ffffff',
  assetLine: '#66727e',
  assetInk: '#26323d',
  mover: '#3c4a57',
  coneNear: 'rgba(50, 80, 110, 0.26)',
  coneFar: 'rgba(50, 80, 110, 0)',
  select: '#0b5fc2',
  signalRed: '#d3221b',
  signalAmber: '#e08a00',
  signalGreen: '#128a4a',
}

export function paletteOf(theme: Theme): Palette {
  return theme === 'light' ? LIGHT : DARK
}
