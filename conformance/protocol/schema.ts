// Checks a value against a JSON Schema, for the keywords that the schemas here use. A keyword it does not
// know is refused when the schema is compiled: nothing is left unchecked without anybody noticing.

/** What is wrong, and where: `$.entries[0].kind is "x", not one of …`. Undefined: nothing. */
export type Check = (value: unknown) => string | undefined;
type Checker = (value: unknown, at: string) => string | undefined;
type Schema = Readonly<Record<string, unknown>>;

/** Keywords that say nothing about a value. */
const WORDS = new Set(["$schema", "$id", "$defs", "title", "description", "examples"]);
const SHOWN_MAX = 120;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function typeIs(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "integer":
      return Number.isSafeInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    default:
      return typeof value === type;
  }
}

type Keyword = (argument: never, compile: (schema: Schema) => Checker, schema: Schema) => Checker;

const bound = (holds: (value: unknown) => boolean, words: string): Checker => {
  return (value, at) => (holds(value) ? undefined : `${at} is ${shown(value)}, which ${words}`);
};

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  type: (types: string | readonly string[]) => {
    const allowed = [types].flat() as string[];
    return (value, at) =>
      allowed.some((type) => typeIs(value, type)) ? undefined : `${at} is ${shown(value)}, not ${allowed.join(" or ")}`;
  },
  const: (wanted: unknown) => (value, at) =>
    value === wanted ? undefined : `${at} is ${shown(value)}, not ${shown(wanted)}`,
  enum: (wanted: readonly unknown[]) => (value, at) =>
    wanted.includes(value) ? undefined : `${at} is ${shown(value)}, not one of ${wanted.map(shown).join(", ")}`,
  minimum: (least: number) => bound((value) => typeof value !== "number" || value >= least, `is less than ${least}`),
  maximum: (most: number) => bound((value) => typeof value !== "number" || value <= most, `is more than ${most}`),
  minLength: (least: number) => bound((value) => typeof value !== "string" || value.length >= least, "is too short"),
  maxLength: (most: number) =>
    bound((value) => typeof value !== "string" || value.length <= most, `is longer than ${most} characters`),
  pattern: (source: string) => {
    const pattern = new RegExp(source, "u");
    return bound((value) => typeof value !== "string" || pattern.test(value), `does not match ${source}`);
  },
  minItems: (least: number) => bound((value) => !Array.isArray(value) || value.length >= least, "has too few items"),
  maxItems: (most: number) =>
    bound((value) => !Array.isArray(value) || value.length <= most, `has more than ${most} items`),
  maxProperties: (most: number) =>
    bound((value) => !isObject(value) || Object.keys(value).length <= most, `has more than ${most} fields`),
  required: (names: readonly string[]) => (value, at) => {
    const missing = isObject(value) ? names.find((name) => !Object.hasOwn(value, name)) : undefined;
    return missing === undefined ? undefined : `${at} has no field "${missing}"`;
  },
  items: (schema: Schema, compile) => {
    const item = compile(schema);
    return (value, at) => (Array.isArray(value) ? first(value, (each, i) => item(each, `${at}[${i}]`)) : undefined);
  },
  properties: (schemas: Readonly<Record<string, Schema>>, compile) => {
    const fields = Object.entries(schemas).map(([name, schema]) => [name, compile(schema)] as const);
    return (value, at) =>
      isObject(value)
        ? first(fields, ([name, field]) =>
            Object.hasOwn(value, name) ? field(value[name], `${at}.${name}`) : undefined,
          )
        : undefined;
  },
  additionalProperties: (schema: Schema | false, compile, { properties = {} }) => {
    const known = properties as Schema;
    const other = schema === false ? undefined : compile(schema);
    return (value, at) =>
      isObject(value)
        ? first(Object.keys(value), (name) => {
            if (Object.hasOwn(known, name)) return undefined;
            return other === undefined ? `${at} has an unknown field "${name}"` : other(value[name], `${at}.${name}`);
          })
        : undefined;
  },
  oneOf: (schemas: readonly Schema[], compile) => {
    const branches = schemas.map(compile);
    return (value, at) => {
      const wrong = branches.map((branch) => branch(value, at));
      const right = wrong.filter((one) => one === undefined).length;
      if (right === 1) return undefined;
      // Of all that do not fit, the branch that got furthest into the value is the one that was meant.
      return right > 1 ? `${at} fits several forms` : wrong.reduce((best, one) => (further(one, best) ? one : best));
    };
  },
};

/** A finding deeper in the value, or about a field rather than the kind of thing it is. */
function further(one: string | undefined, than: string | undefined): boolean {
  const depth = (text = ""): number =>
    (text.split(" ")[0]?.length ?? 0) + (/has no field|\.type is/.test(text) ? 0 : 100);
  return depth(one) > depth(than);
}

function first<Item>(items: readonly Item[], check: (item: Item, i: number) => string | undefined): string | undefined {
  for (const [i, item] of items.entries()) {
    const wrong = check(item, i);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** Makes a check of a schema. Throws on a keyword or a reference that it does not know. */
export function compileSchema(root: Schema): Check {
  const definitions = (root.$defs ?? {}) as Readonly<Record<string, Schema>>;
  const compiled = new Map<string, Checker>();
  const reference = (to: string): Checker => {
    const name = /^#\/\$defs\/([\w-]+)$/.exec(to)?.[1] ?? "";
    const schema = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (schema === undefined) throw new Error(`the schema refers to ${to}, which it does not define`);
    if (!compiled.has(to)) {
      compiled.set(to, (value, at) => (compiled.get(to) as Checker)(value, at)); // a schema may contain itself
      compiled.set(to, compile(schema));
    }
    return (value, at) => (compiled.get(to) as Checker)(value, at);
  };
  const compile = (schema: Schema): Checker => {
    const checkers = Object.entries(schema).flatMap(([name, argument]): Checker[] => {
      if (WORDS.has(name)) return [];
      if (name === "$ref") return [reference(argument as string)];
      const keyword = Object.hasOwn(KEYWORDS, name) ? KEYWORDS[name] : undefined;
      if (keyword === undefined) throw new Error(`the schema uses "${name}", which this check does not know`);
      return [keyword(argument as never, compile, schema)];
    });
    return (value, at) => first(checkers, (check) => check(value, at));
  };
  const check = compile(root);
  return (value) => check(value, "$");
}
