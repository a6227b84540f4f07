export const STYLE = `
:root { color-scheme: light dark; --back: #f6f7f5; --card: #fff; --ink: #17201c; --quiet: #5a665f; --line: #dde2de; --brand: #0b7a5b;
  --brand-back: #e3f3ec; --warn: #9a4a00; --warn-back: #fdeedd; --live: #1657c0; --live-back: #e4eefc; }
@media (prefers-color-scheme: dark) { :root { --back: #111613; --card: #1a211d; --ink: #e8ede9; --quiet: #9daaa2; --line: #2d3731;
  --brand: #55d3a5; --brand-back: #133226; --warn: #ffb36b; --warn-back: #3a2713; --live: #8db8ff; --live-back: #182a47; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
header, main { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem }
header { padding-top: 2rem; padding-bottom: 1rem }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.01em }
header p, aside p { margin: .25rem 0 .75rem; color: var(--quiet) }
h2 { margin: 0; font-size: 1.05rem }
main { display: grid; grid-template-columns: minmax(0, 1fr) 23rem; gap: 2.5rem; align-items: start; padding-bottom: 4rem }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; margin-bottom: .75rem }
.bar h2 { margin-right: auto }
.bar label { display: flex; align-items: center; gap: .5rem; color: var(--quiet); font-size: .875rem }
input { font: inherit; font-size: 1rem; width: 12rem; padding: .3rem .6rem; color: var(--ink); background: var(--card); border: 1px solid var(--line); border-radius: .5rem }
:focus-visible { outline: 2px solid var(--brand); outline-offset: 2px }
#state { font-size: .8125rem; color: var(--quiet) }
#state::before { content: ""; display: inline-block; width: .5rem; height: .5rem; margin-right: .4rem; border-radius: 50%; background: var(--warn) }
#state.live::before { background: var(--brand) }
#arrivals { list-style: none; margin: 0; padding: 0; display: grid; gap: .75rem }
#arrivals > li, #nothing { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .9rem 1.1rem }
#nothing { color: var(--quiet) } #nothing p { margin: 0 } #nothing strong { color: var(--ink) }
.top { display: flex; flex-wrap: wrap; gap: .15rem .75rem; align-items: baseline }
.kind { font-weight: 600 }
.number, .code, td:first-child, time { font-variant-numeric: tabular-nums }
time { margin-left: auto; color: var(--quiet); font-size: .875rem }
.text { margin: .4rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere }
.facts { margin: .4rem 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .35rem }
.facts li { padding: .05rem .6rem; border-radius: 1rem; font-size: .8125rem; background: var(--back); color: var(--quiet) }
.facts .who { color: var(--ink); box-shadow: inset 0 0 0 1px var(--line) }
.facts .good { background: var(--brand-back); color: var(--brand) }
.facts .bad { background: var(--warn-back); color: var(--warn) }
.facts .now { background: var(--live-back); color: var(--live) }
.heard { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .9rem; margin-top: .7rem }
.code { font: 600 1.5rem/1.2 ui-monospace, SFMono-Regular, Menlo, monospace; letter-spacing: .12em; color: var(--brand) }
.heard .quiet { flex: 1 1 8rem }
audio { display: block; width: 100%; height: 2.5rem; margin-top: .7rem }
button { font: inherit; font-size: .8125rem; padding: .2rem .7rem; min-height: 1.75rem; color: inherit; background: none; border: 1px solid var(--line); border-radius: .5rem; cursor: pointer }
button:hover { border-color: currentColor }
.quiet { color: var(--quiet); font-size: .875rem }
aside { display: grid; gap: .25rem }
aside h2:not(:first-child) { margin-top: 1.25rem }
table { width: 100%; border-collapse: collapse; font-size: .875rem }
th { text-align: left; font-weight: 500; color: var(--quiet) }
th, td { padding: .4rem .5rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td:first-child { font-weight: 600; white-space: nowrap }
td small { display: block; color: var(--quiet); font: .75rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace }
pre { margin: 0; padding: .75rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; font-size: .8125rem }
code { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; font-size: .9em }
.skip { position: absolute; left: -99rem } .skip:focus { left: 1rem; top: .5rem }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
@media (prefers-reduced-motion: no-preference) { .now { animation: ring 1.2s ease-in-out infinite } @keyframes ring { 50% { opacity: .55 } } }
@media (max-width: 60rem) { main { grid-template-columns: minmax(0, 1fr) } }
`
