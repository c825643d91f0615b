/** The style of `/docs/`: one column on a small screen, the contents beside it on a wide one, light and dark. */

export const style = `
:root {
  --text: #1d2330; --quiet: #596275; --page: #ffffff; --panel: #f3f5f9; --line: #d9dee8; --link: #1a56c4;
  --read: #0b6b3a; --write: #8a4b00; --remove: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e8f0; --quiet: #a3adbf; --page: #12151c; --panel: #1c212c; --line: #333b4b; --link: #8ab4ff;
    --read: #6fd39b; --write: #f2b866; --remove: #ff9a90;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
header, .columns { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.4rem; margin: 2.5rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2rem 0 .25rem; }
h4 { font-size: .8rem; margin: 1.25rem 0 .4rem; color: var(--quiet); text-transform: uppercase; letter-spacing: .05em; }
p { margin: .4rem 0; max-width: 44rem; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
:target { background: var(--panel); box-shadow: 0 0 0 .3rem var(--panel); }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .88em; }
code { overflow-wrap: anywhere; }
pre { margin: .5rem 0; padding: .75rem; overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; }
pre code { overflow-wrap: normal; font-size: 1em; }
small { color: var(--quiet); font-size: .85em; font-weight: 400; }
b[class] { font: 700 .78rem/1 ui-monospace, "DejaVu Sans Mono", monospace; letter-spacing: .03em; }
.GET { color: var(--read); }
.POST, .PUT, .PATCH { color: var(--write); }
.DELETE { color: var(--remove); }
.address { max-width: none; padding: .4rem .75rem; background: var(--panel); border-left: .25rem solid var(--line); }
.address code { font-size: 1rem; }
.facts { color: var(--quiet); font-size: .9em; }
dl { margin: .4rem 0; }
dt { font-weight: 600; margin-top: .7rem; }
dd { margin: 0 0 0 1rem; }
dd > p:first-child, dd > ul:first-child { margin-top: .1rem; }
ul, ol { padding-left: 1.2rem; }
.problems { list-style: none; padding: 0; margin: .2rem 0; max-width: 44rem; }
.problems li { margin: .4rem 0; }
.replies .problems small { display: none; }
.replies > dt { font-variant-numeric: tabular-nums; color: var(--read); }
.replies > dt.failure { color: var(--remove); }
nav { font-size: .92rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav > ul > li { margin: .5rem 0; }
nav ul ul { padding-left: .75rem; }
nav a { display: block; padding: .2rem 0; text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { text-decoration: underline; }
@media (min-width: 60rem) {
  .columns { display: grid; grid-template-columns: 19rem minmax(0, 1fr); gap: 2.5rem; }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 1rem 0; }
  main > section:first-child > h2 { margin-top: 1rem; }
}
@media print { nav { display: none; } }
`;
