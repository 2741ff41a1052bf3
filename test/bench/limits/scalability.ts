// How much more gets done by how many at once, as a curve through what was measured, and where it is highest.

/** How much got done with so many at once. */
export interface Throughput {
  readonly concurrency: number;
  readonly perSecond: number;
}

/**
 * Gunther's Universal Scalability Law, X(n) = λn / (1 + σ(n − 1) + κn(n − 1)), by linear least squares over
 * n / X(n) = a + b(n − 1) + cn(n − 1), with a = 1/λ. The most is at √((1 − σ) / κ).
 */
export function scalability(points: readonly Throughput[]) {
  const rows = points.map(({ concurrency: n, perSecond }) => [1, n - 1, n * (n - 1), n / perSecond]);
  const matrix = [0, 1, 2].map((i) =>
    [0, 1, 2, 3].map((j) => rows.reduce((sum, row) => sum + row[i]! * row[j]! * weightOf(row), 0)),
  );
  const [a, b, c] = solved(matrix) as [number, number, number];
  return { lambda: 1 / a, sigma: b / a, kappa: c / a, knee: Math.sqrt((1 - b / a) / (c / a)) };
}

/** By the square of what is fitted, so that every size counts with its relative error. */
const weightOf = (row: readonly number[]): number => 1 / row[3]! ** 2;

/** Gauss and Jordan; the matrix has its right side as its last column. */
function solved(matrix: number[][]): number[] {
  for (let i = 0; i < matrix.length; i++) {
    const row = matrix[i]!.map((value) => value / matrix[i]![i]!);
    matrix = matrix.map((other, j) => (j === i ? row : other.map((value, k) => value - other[i]! * row[k]!)));
  }
  return matrix.map((row) => row.at(-1)!);
}
