namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Solves zero-sum games: how to mix columns so that the largest row of the mix is as small as it can be, with the prices of the rows that prove
/// it. As a linear program by the simplex method (Dantzig, "A Proof of the Equivalence of the Programming Problem and the Game Problem", in
/// Activity Analysis of Production and Allocation, 1951), pivots by Bland's rule so that it ends.
/// </summary>
internal static class MatrixGame
{
    private const double Tolerance = 1e-10;
    private const int MostPivots = 10_000;

    /// <summary>Solves a game.</summary>
    /// <param name="columns">Columns of equal length with entries of 0 or more, each with one above 0.</param>
    /// <returns>The weights of the columns, adding up to 1; the value of the game; and the prices of the rows, adding up to 1.</returns>
    public static (double[] Weights, double Value, double[] Prices) Solve(IReadOnlyList<double[]> columns)
    {
        int variables = columns.Count;
        int rows = columns[0].Length;
        double scale = columns.Max(static column => column.Max());
        // Maximise the sum of x where the columns times x are at most 1: x is the weights over the value. Slacks come after the variables, and the right side last.
        int width = variables + rows + 1;
        var table = new double[rows + 1][];
        var basis = new int[rows];
        for (int row = 0; row < rows; row++)
        {
            table[row] = new double[width];
            for (int column = 0; column < variables; column++)
                table[row][column] = columns[column][row] / scale;
            table[row][variables + row] = 1;
            table[row][width - 1] = 1;
            basis[row] = variables + row;
        }
        double[] objective = table[rows] = new double[width];
        Array.Fill(objective, -1, 0, variables);
        for (int pivot = 0; pivot < MostPivots; pivot++)
        {
            int entering = Array.FindIndex(objective, 0, width - 1, static cost => cost < -Tolerance);
            if (entering < 0)
                break;
            int leaving = Leaving(table, basis, entering);
            if (leaving < 0)
                break;
            Pivot(table, leaving, entering);
            basis[leaving] = entering;
        }
        double sum = objective[width - 1];
        var weights = new double[variables];
        for (int row = 0; row < rows; row++)
        {
            if (basis[row] < variables)
                weights[basis[row]] = Math.Max(table[row][width - 1] / sum, 0);
        }
        var prices = new double[rows];
        for (int row = 0; row < rows; row++)
            prices[row] = Math.Max(objective[variables + row] / sum, 0);
        Normalise(weights);
        Normalise(prices);
        return (weights, scale / sum, prices);
    }

    private static int Leaving(double[][] table, int[] basis, int entering)
    {
        int leaving = -1;
        double least = double.PositiveInfinity;
        for (int row = 0; row < basis.Length; row++)
        {
            if (table[row][entering] <= Tolerance)
                continue;
            double ratio = table[row][^1] / table[row][entering];
            if (ratio < least - Tolerance || (ratio < least + Tolerance && (leaving < 0 || basis[row] < basis[leaving])))
                (least, leaving) = (Math.Min(ratio, least), row);
        }
        return leaving;
    }

    private static void Pivot(double[][] table, int leaving, int entering)
    {
        double[] pivotRow = table[leaving];
        double divisor = pivotRow[entering];
        for (int column = 0; column < pivotRow.Length; column++)
            pivotRow[column] /= divisor;
        for (int row = 0; row < table.Length; row++)
        {
            double factor = table[row][entering];
            if (row == leaving || factor == 0)
                continue;
            for (int column = 0; column < pivotRow.Length; column++)
                table[row][column] -= factor * pivotRow[column];
        }
    }

    private static void Normalise(double[] shares)
    {
        double sum = shares.Sum();
        for (int i = 0; i < shares.Length; i++)
            shares[i] /= sum;
    }
}
