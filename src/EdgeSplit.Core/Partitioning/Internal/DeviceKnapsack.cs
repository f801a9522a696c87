namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The units worth most, at given prices, that one device can take within a load: best-first branch and bound, with the load's limit
/// as a Lagrangian term and minimum cuts below it (Geoffrion, "Lagrangean Relaxation for Integer Programming", Math. Programming Study 1974). Not thread-safe.
/// </summary>
internal sealed class DeviceKnapsack(DeviceLoadCut cut, int unitCount)
{
    /// <summary>Bounds are raised by this share of all prices, above what floating-point sums may differ by.</summary>
    private const double Rounding = 1e-9;

    private const int MostCutsPerNode = 30;
    private const double NearlyBest = 0.97;
    private const int MostOthers = 24;

    private double[] _prices = [];
    private double _mostLoad;
    private double _rounding;
    private WorkBudget _budget = null!;

    /// <summary>The sets within the load that were found, each worth more than those before.</summary>
    public List<bool[]> Found { get; } = [];

    /// <summary>Other sets within the load that are worth nearly as much as the best when they were found.</summary>
    public List<bool[]> Others { get; } = [];

    /// <summary>What the last of <see cref="Found"/> is worth.</summary>
    public double BestPrice { get; private set; }

    /// <summary>Searches until done, or a number of branches were tried, or out of budget.</summary>
    /// <param name="prices">The price of each unit, 0 or more.</param>
    /// <param name="mostLoad">The load's limit.</param>
    /// <param name="isTaken">Units that are not to be had; null for none.</param>
    /// <param name="mostBranches">The branches to try.</param>
    /// <param name="budget">The work.</param>
    /// <returns>What no set within the load is worth more than.</returns>
    public double Solve(double[] prices, double mostLoad, bool[]? isTaken, int mostBranches, WorkBudget budget)
    {
        (_prices, _mostLoad, _budget) = (prices, mostLoad, budget);
        _rounding = Rounding * prices.Sum();
        BestPrice = 0;
        Found.Clear();
        Others.Clear();
        Found.Add(new bool[unitCount]);
        var queue = new PriorityQueue<Node, double>();
        var root = new Node([.. Enumerable.Range(0, unitCount).Select(unit => (sbyte)(isTaken is not null && isTaken[unit] ? -1 : 0))], double.PositiveInfinity)
        {
            Small = PricedSet.Of(this, new bool[unitCount]),
        };
        Evaluate(root);
        queue.Enqueue(root, -root.Bound);
        for (int branches = 0; queue.TryDequeue(out Node? node, out _);)
        {
            if (node.Bound <= BestPrice + _rounding)
                break;
            int unit = DearestBetween(node);
            if (unit < 0 || branches >= mostBranches || _budget.IsOver)
                return node.Bound + _rounding;
            foreach (sbyte choice in (ReadOnlySpan<sbyte>)[1, -1])
            {
                branches++;
                var child = new Node([.. node.Choices], node.Bound) { Small = choice < 0 ? node.Small : null, Large = choice > 0 ? node.Large : null };
                child.Choices[unit] = choice;
                if (Evaluate(child))
                    queue.Enqueue(child, -child.Bound);
            }
        }
        return BestPrice + (2 * _rounding);
    }

    /// <summary>Lowers the bound of a node, and finds the sets below and above the limit between which its bound lies.</summary>
    /// <returns>False where nothing below the node is better than the best.</returns>
    private bool Evaluate(Node node)
    {
        if (node.Small is null)
        {
            var least = new bool[unitCount];
            if (_budget.IsOver)
                return true;
            Minimise(null, node, least);
            node.Small = PricedSet.Of(this, least);
            if (node.Small.Load > _mostLoad * (1 + Rounding))
                return false;
            Offer(node.Small);
        }
        if (node.Large is null)
        {
            node.Large = PricedSet.Of(this, [.. Enumerable.Range(0, unitCount).Select(unit => cut.IsAllowed(unit) && node.Choices[unit] >= 0)]);
            node.Bound = Math.Min(node.Bound, node.Large.Price);
            if (node.Large.Load <= _mostLoad)
            {
                Offer(node.Large);
                return false;
            }
        }
        var prices = new double[unitCount];
        for (int round = 0; round < MostCutsPerNode && node.Bound > BestPrice + _rounding; round++)
        {
            // The price of a second of load at which both sets are worth the same.
            double slope = (node.Large.Price - node.Small.Price) / (node.Large.Load - node.Small.Load);
            if (!(slope > 0) || !(node.Large.Load > node.Small.Load) || _budget.IsOver)
                return true;
            for (int unit = 0; unit < unitCount; unit++)
                prices[unit] = _prices[unit] / slope;
            var set = new bool[unitCount];
            double bound = slope * (_mostLoad - Minimise(prices, node, set));
            node.Bound = Math.Min(node.Bound, bound);
            if (bound <= node.Small.Price + (slope * (_mostLoad - node.Small.Load)) + _rounding)
                break;
            PricedSet found = PricedSet.Of(this, set);
            if (found.Load <= _mostLoad)
                Offer(node.Small = found);
            else
                node.Large = found;
        }
        return node.Bound > BestPrice + _rounding;
    }

    private double Minimise(double[]? prices, Node node, bool[] isOn)
    {
        long before = cut.Work;
        double least = cut.Minimise(prices, node.Choices, isOn);
        _budget.Spend(cut.Work - before);
        return least;
    }

    private void Offer(PricedSet set)
    {
        if (set.Load > _mostLoad)
            return;
        if (set.Price <= BestPrice)
        {
            if (set.Price > NearlyBest * BestPrice && Others.Count < MostOthers)
                Others.Add(set.IsOn);
            return;
        }
        BestPrice = set.Price;
        Found.Add(set.IsOn);
    }

    /// <summary>The dearest unit that one of a node's sets has and the other has not; -1 where there is none.</summary>
    private int DearestBetween(Node node)
    {
        int dearest = -1;
        for (int unit = 0; unit < unitCount && node.Large is not null && node.Small is not null; unit++)
        {
            if (node.Large.IsOn[unit] && !node.Small.IsOn[unit] && node.Choices[unit] == 0 && (dearest < 0 || _prices[unit] > _prices[dearest]))
                dearest = unit;
        }
        return dearest;
    }

    private sealed class Node(sbyte[] choices, double bound)
    {
        public sbyte[] Choices { get; } = choices;

        public double Bound { get; set; } = bound;

        /// <summary>A set within the limit.</summary>
        public PricedSet? Small { get; set; }

        /// <summary>A set beyond the limit.</summary>
        public PricedSet? Large { get; set; }
    }

    private sealed record PricedSet(bool[] IsOn, double Load, double Price)
    {
        public static PricedSet Of(DeviceKnapsack knapsack, bool[] isOn)
        {
            double price = 0;
            for (int unit = 0; unit < isOn.Length; unit++)
                price += isOn[unit] ? knapsack._prices[unit] : 0;
            return new PricedSet(isOn, knapsack.LoadOf(isOn), price);
        }
    }

    private double LoadOf(bool[] isOn) => cut.LoadOf(isOn);
}
