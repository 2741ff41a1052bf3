// How things look on this terminal: may there be colours, may there be more than ASCII, how wide is it,
// does it show a picture that moves. Decided once from the stream and the environment; it prints nothing.
import picocolors from "picocolors";

/** What a terminal can show. */
export interface Look {
  readonly colour: boolean;
  /** May characters beyond ASCII be used? */
  readonly unicode: boolean;
  /** Cells in a line. */
  readonly width: number;
  /** May lines be drawn over? */
  readonly live: boolean;
}

/** The part of an output stream that matters. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Width of what is not a terminal: a log, a file, a pipe. */
const WIDTH_OF_PLAIN = 100;
const WIDTH_LEAST = 40;
const WIDTH_MOST = 160;

function colourOf(screen: Screen, env: Environment): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "") return env.FORCE_COLOR !== "0";
  return screen.isTTY === true && env.TERM !== "dumb";
}

function unicodeOf(env: Environment, platform: string): boolean {
  if (platform === "win32")
    return env.WT_SESSION !== undefined || env.TERM_PROGRAM !== undefined || env.CI !== undefined;
  if (env.TERM === "linux" || env.TERM === "dumb") return false;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  // Without any locale, as in most containers, the terminal outside understands UTF-8.
  return locale === undefined || locale === "" || /utf-?8/i.test(locale);
}

/** What this stream can show. `COLUMNS` overrides the width. */
export function lookOf(screen: Screen, env: Environment, platform: string = process.platform): Look {
  const asked = Number.parseInt(env.COLUMNS ?? "", 10);
  const width = asked > 0 ? asked : (screen.columns ?? WIDTH_OF_PLAIN);
  return {
    colour: colourOf(screen, env),
    unicode: unicodeOf(env, platform),
    width: Math.min(Math.max(width, WIDTH_LEAST), WIDTH_MOST),
    live: screen.isTTY === true && env.TERM !== "dumb" && !env.CI,
  };
}

export type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";
/** Colours a text, or leaves it alone. */
export type Paint = (colour: Colour | undefined, text: string) => string;

export function painter(look: Pick<Look, "colour">): Paint {
  const colours = picocolors.createColors(look.colour);
  return (colour, text) => (colour === undefined || text === "" ? text : colours[colour](text));
}

/** Marks of one cell. */
export interface Marks {
  readonly yes: string;
  readonly no: string;
  readonly unsure: string;
  readonly more: string;
  readonly dot: string;
  readonly rule: string;
  readonly arrow: string;
}

const UNICODE: Marks = { yes: "✓", no: "✗", unsure: "?", more: "…", dot: "·", rule: "─", arrow: "›" };
const ASCII: Marks = { yes: "+", no: "x", unsure: "?", more: "~", dot: "-", rule: "-", arrow: ">" };

export function marksOf(look: Pick<Look, "unicode">): Marks {
  return look.unicode ? UNICODE : ASCII;
}
