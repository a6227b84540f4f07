import { createHash } from 'node:crypto'
import { SCRIPT } from './page-script.ts'
import { STYLE } from './page-style.ts'

const sourceOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing from anywhere else, and no script or style but the page's own. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `script-src ${sourceOf(SCRIPT)}`,
  `style-src ${sourceOf(STYLE)}`,
  "connect-src 'self'",
  "media-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect x='4' y='1' width='8' height='14' rx='2' fill='%230b7a5b'/%3E%3Ccircle cx='8' cy='12.5' r='1' fill='white'/%3E%3C/svg%3E"

/** What arrived in the sandbox, as it arrives. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Pincall sandbox</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#arrivals">To what arrived</a>
<header>
  <h1>Phone in a box</h1>
  <p>Calls and texts from Pincall arrive here instead of on real phones. Nobody is called, nothing is paid.</p>
</header>
<main>
  <section aria-labelledby="arrived">
    <div class="bar">
      <h2 id="arrived">What arrived</h2>
      <label>Number
        <input id="to" type="search" inputmode="tel" autocomplete="off" placeholder="all numbers" spellcheck="false"></label>
      <span id="state" role="status">connecting</span>
    </div>
    <div id="now" class="unseen" role="status"></div>
    <ol id="arrivals"></ol>
    <div id="nothing" hidden>
      <p><strong>Nothing yet.</strong> Send a PIN to any number, for example <code>+41 79 302 67 27</code>: its text and its
      call show up here by themselves, with the sound and the code that the phone heard.</p>
    </div>
  </section>
  <aside aria-labelledby="endings">
    <h2 id="endings">Numbers and their handsets</h2>
    <p>The last two digits of any number choose who answers.</p>
    <table>
      <thead><tr><th scope="col">Ends in</th><th scope="col">Handset</th></tr></thead>
      <tbody id="handsets"></tbody>
    </table>
    <h2>In a shell, or a test</h2>
    <p>The newest code that a number got; waits up to 20 s for the first:</p>
    <pre><code id="curl"></code></pre>
    <p class="quiet">Kept in memory only, up to 1,000 texts, 1,000 calls and 64 MB of sound; gone when Pincall stops.</p>
  </aside>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`
