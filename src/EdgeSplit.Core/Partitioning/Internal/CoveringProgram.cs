namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The linear program that covers each unit once with sets of units, of each kind of device no more than there are, at the least cost of
/// what is covered too little or too much; its duals are prices of units and of devices. Revised simplex method with an explicit
/// inverse (Dantzig, Orchard-Hays 1954), warm after sets were added. Not thread-safe.
/// </summary>
internal sealed class CoveringProgram
{
    private const double Zero = 1e-9;

    /// <summary>Covers are asked for in slightly different amounts, against cycling.</summary>
    private const double Perturbation = 1e-5;

    /// <summary>Numbers that a pivot changes in the time of one unit of the budget.</summary>
    private const int ChangesPerWork = 20;

    private readonly int _units;
    private readonly int _rows;
    private readonly double[] _inverse;
    private readonly double[] _amounts;
    private readonly int[] _basis;
    private readonly HashSet<int> _isBasic = [];
    private readonly List<(int Kind, int[] Units)> _sets = [];
    private double[] _least;
    private double[] _most;

    /// <param name="devices">The number of devices of each kind.</param>
    /// <param name="least">The least price of each unit: what covering it too often yields.</param>
    /// <param name="most">The highest price of each unit: what leaving it out costs.</param>
    public CoveringProgram(int[] devices, double[] least, double[] most)
    {
        (_units, _least, _most) = (least.Length, least, most);
        _rows = _units + devices.Length;
        _inverse = new double[_rows * _rows];
        _amounts = new double[_rows];
        _basis = new int[_rows];
        Duals = new double[_rows];
        var random = new Random(1);
        for (int row = 0; row < _rows; row++)
        {
            _inverse[(row * _rows) + row] = 1;
            // Nothing is covered at first, and no device is in use.
            _basis[row] = row < _units ? -1 - row : -1 - _units - row;
            _amounts[row] = row < _units ? 1 + (Perturbation * random.NextDouble()) : devices[row - _units];
            _isBasic.Add(_basis[row]);
        }
    }

    /// <summary>The price of each unit, and then, below 0, that of a device of each kind.</summary>
    public double[] Duals { get; }

    /// <summary>Whether the sets cover all units: then no prices of 0 or more show that there are too few devices.</summary>
    public bool CoversAll
    {
        get
        {
            for (int row = 0; row < _rows; row++)
            {
                if (_basis[row] < 0 && _basis[row] >= -_units && _amounts[row] > 2 * Perturbation)
                    return false;
            }
            return true;
        }
    }

    /// <summary>Changes the limits of prices.</summary>
    public void SetLimits(double[] least, double[] most) => (_least, _most) = (least, most);

    /// <summary>Adds a set of units that a device of a kind can take.</summary>
    public void Add(int kind, int[] units) => _sets.Add((kind, units));

    /// <summary>What a set is worth at the present prices, less the price of its device.</summary>
    public double Gain(int kind, int[] units)
    {
        double gain = Duals[_units + kind];
        foreach (int unit in units)
            gain += Duals[unit];
        return gain;
    }

    /// <summary>Solves the program anew with the sets that were added; out of budget it stops short.</summary>
    /// <returns>The least cost.</returns>
    public double Solve(WorkBudget budget)
    {
        var column = new double[_rows];
        while (true)
        {
            SetDuals();
            int entering = Entering();
            if (entering == None || !budget.Spend((long)_rows * _rows / ChangesPerWork))
                break;
            SetColumn(entering, column);
            int leaving = Leaving(column);
            if (leaving < 0)
                break;
            Pivot(entering, leaving, column);
        }
        double cost = 0;
        for (int row = 0; row < _rows; row++)
            cost += CostOf(_basis[row]) * _amounts[row];
        return cost;
    }

    private static int None => int.MinValue;

    /// <summary>Variables below 0 are, in this order, units too little covered, units too much covered, and devices not in use.</summary>
    private double CostOf(int variable) => variable >= 0 || variable < -2 * _units ? 0
        : variable >= -_units ? _most[-1 - variable] : -_least[-1 - _units - variable];

    private void SetDuals()
    {
        Array.Clear(Duals);
        for (int row = 0; row < _rows; row++)
        {
            double cost = CostOf(_basis[row]);
            if (cost == 0)
                continue;
            ReadOnlySpan<double> inverse = _inverse.AsSpan(row * _rows, _rows);
            for (int i = 0; i < inverse.Length; i++)
                Duals[i] += cost * inverse[i];
        }
    }

    /// <summary>The variable whose reduced cost is lowest.</summary>
    private int Entering()
    {
        int entering = None;
        double lowest = -Zero;
        for (int set = 0; set < _sets.Count; set++)
            Try(set, -Gain(_sets[set].Kind, _sets[set].Units));
        for (int unit = 0; unit < _units; unit++)
        {
            Try(-1 - unit, _most[unit] - Duals[unit]);
            Try(-1 - _units - unit, Duals[unit] - _least[unit]);
        }
        for (int kind = 0; kind < _rows - _units; kind++)
            Try(-1 - (2 * _units) - kind, -Duals[_units + kind]);
        return entering;

        void Try(int variable, double reducedCost)
        {
            if (reducedCost < lowest && !_isBasic.Contains(variable))
                (entering, lowest) = (variable, reducedCost);
        }
    }

    private void SetColumn(int variable, double[] column)
    {
        for (int row = 0; row < _rows; row++)
        {
            ReadOnlySpan<double> inverse = _inverse.AsSpan(row * _rows, _rows);
            double sum = 0;
            if (variable >= 0)
            {
                foreach (int unit in _sets[variable].Units)
                    sum += inverse[unit];
                sum += inverse[_units + _sets[variable].Kind];
            }
            else if (variable >= -_units)
            {
                sum = inverse[-1 - variable];
            }
            else
            {
                sum = variable >= -2 * _units ? -inverse[-1 - _units - variable] : inverse[-1 - _units - variable];
            }
            column[row] = sum;
        }
    }

    private int Leaving(double[] column)
    {
        int leaving = -1;
        double step = double.PositiveInfinity;
        for (int row = 0; row < _rows; row++)
        {
            if (column[row] <= Zero)
                continue;
            double limit = Math.Max(0, _amounts[row]) / column[row];
            if (leaving < 0 || limit < step - Zero || (limit <= step + Zero && column[row] > column[leaving]))
                (leaving, step) = (row, limit);
        }
        return leaving;
    }

    private void Pivot(int entering, int leaving, double[] column)
    {
        double step = Math.Max(0, _amounts[leaving]) / column[leaving];
        Span<double> pivot = _inverse.AsSpan(leaving * _rows, _rows);
        for (int i = 0; i < pivot.Length; i++)
            pivot[i] /= column[leaving];
        for (int row = 0; row < _rows; row++)
        {
            double factor = column[row];
            if (row == leaving || factor == 0)
                continue;
            _amounts[row] -= step * factor;
            Span<double> inverse = _inverse.AsSpan(row * _rows, _rows);
            for (int i = 0; i < inverse.Length; i++)
                inverse[i] -= factor * pivot[i];
        }
        _amounts[leaving] = step;
        _isBasic.Remove(_basis[leaving]);
        _isBasic.Add(_basis[leaving] = entering);
    }
}
