import '@lib/fonts.css'
import '@lib/tokens.css'
import '@lib/base.css'
import './field.css'
import { mount } from 'svelte'
import { setZone } from '@lib/format'
import { speakOnly } from '@lib/i18n.svelte'
import { prefs } from '@lib/prefs.svelte'
import App from './App.svelte'
import { field } from './field.svelte'
import { sender } from './sender'
import { shell } from './shell.svelte'

const target = document.getElementById('field')
if (!target) throw new Error('the page has no place for the application')

// A crew is where its telephone is; the post's zone could not be asked for without a network.
setZone(Intl.DateTimeFormat().resolvedOptions().timeZone)
speakOnly(['', 'field'])
await prefs.start()
mount(App, { target })
await field.start()
if (field.phase !== 'broken') sender.start()
void shell.start()
