using System.Data.Common;

namespace Assay.LlmGateway.Ledger;

/// <summary>An audit's budget as a transaction has read and locked it.</summary>
sealed record BudgetView
{
    public required Guid AuditId { get; init; }
    public required Guid TrackingId { get; init; }
    public required int Attempt { get; init; }
    public required int ClosedAttempt { get; init; }
    public required string State { get; init; }
    public required long AllocatedMicroUsd { get; init; }
    public required long ReservedMicroUsd { get; init; }
    public required string? Day { get; init; }
    public required DateTime DeadlineAt { get; init; }
    public required string InDoubtPolicy { get; init; }
    public required int AskAgainAttempt { get; init; }
    public required string? PinsJson { get; init; }
    public required string? TraceParent { get; init; }
    public required string? Phase { get; init; }
    public required long AnswersWorstMicroUsd { get; init; }
    public required long InsightsWorstMicroUsd { get; init; }

    /// <summary>Whether the ceiling pays for the plan's worst case, so that no call ever waits for another's money.</summary>
    public required bool PaysForAll { get; init; }

    /// <summary>Whether an attempt may still spend.</summary>
    public bool IsLive(int attempt) => State == BudgetStates.Open && attempt == Attempt && attempt > ClosedAttempt;
}

/// <summary>A row of <c>spending</c> as a transaction has read and locked it.</summary>
readonly record struct SpendingView(string Scope, long Ceiling, long Reserved, long Spent)
{
    /// <summary>Room now.</summary>
    public long Free => Ceiling - Reserved - Spent;

    /// <summary>Room once every open reservation has come back unspent.</summary>
    public long FreeAtBest => Ceiling - Spent;
}

/// <summary>
/// Collects what a transaction moves and writes it as one statement per table, in the order of locks. Pure until then.
/// <para>
/// An attempt's allocation is held in tree and day; its calls reserve inside it, in the audit's own row. A settled call turns the spent part
/// of the allocation from reserved to spent in tree and day. Once the attempt is closed its allocation is gone except for the reservations
/// of calls on the wire, so that a settlement then gives back its whole reservation.
/// </para>
/// </summary>
sealed class MoneyMoves
{
    readonly SortedDictionary<string, (long Reserved, long Spent, long Overrun)> _scopes = new(StringComparer.Ordinal);
    readonly SortedDictionary<Guid, (long Allocated, long Reserved)> _budgets = [];

    /// <summary>What was charged above reservations in these moves.</summary>
    public long Overrun { get; private set; }

    public bool IsEmpty => _scopes.Count == 0 && _budgets.Count == 0;

    /// <summary>Takes more from tree and day for the attempt.</summary>
    public void Allocate(BudgetView budget, string day, long amount)
    {
        Move(Scopes.Tree(budget.TrackingId), amount, 0);
        Move(Scopes.Day(day), amount, 0);
        MoveBudget(budget.AuditId, amount, 0);
    }

    /// <summary>Reserves a call's worst case inside the allocation.</summary>
    public void Reserve(BudgetView budget, long amount)
    {
        Move(Scopes.Audit(budget.AuditId), amount, 0);
        MoveBudget(budget.AuditId, 0, amount);
    }

    /// <summary>Gives a reservation back unspent.</summary>
    public void Release(BudgetView budget, int attempt, string day, long amount)
    {
        Move(Scopes.Audit(budget.AuditId), -amount, 0);
        if (budget.IsLive(attempt))
            MoveBudget(budget.AuditId, 0, -amount);
        else
            MoveTreeAndDay(budget, day, -amount, 0);
    }

    /// <summary>Turns a reservation into what was really charged. What exceeds it is overrun: outside the ceiling, and recorded.</summary>
    public void Settle(BudgetView budget, int attempt, string day, long reserved, long charged)
    {
        var spent = Math.Min(reserved, charged);
        Move(Scopes.Audit(budget.AuditId), -reserved, spent);
        if (budget.IsLive(attempt))
        {
            MoveTreeAndDay(budget, day, -spent, spent);
            MoveBudget(budget.AuditId, -spent, -reserved);
        }
        else
            MoveTreeAndDay(budget, day, -reserved, spent);

        AddOverrun(budget, day, charged - spent);
    }

    /// <summary>Replaces what a try in doubt was counted at by what it really cost.</summary>
    public void Correct(BudgetView budget, string day, long reserved, long countedAt, long charged)
    {
        var spent = Math.Min(reserved, charged);
        var before = Math.Min(reserved, countedAt);
        Move(Scopes.Audit(budget.AuditId), 0, spent - before);
        MoveTreeAndDay(budget, day, 0, spent - before);
        AddOverrun(budget, day, charged - spent);
    }

    /// <summary>Returns the part of the allocation that nothing has reserved, down to <paramref name="keep"/>.</summary>
    public long ReturnUnused(BudgetView budget, long keep)
    {
        var unused = budget.AllocatedMicroUsd - Math.Max(budget.ReservedMicroUsd, keep);
        if (unused <= 0 || budget.Day is null)
            return 0;
        MoveTreeAndDay(budget, budget.Day, -unused, 0);
        MoveBudget(budget.AuditId, -unused, 0);
        return unused;
    }

    /// <summary>
    /// Ends the attempt's allocation: planned calls' reservations and the unused rest return; what is on the wire keeps its share of tree, day
    /// and audit until its outcome.
    /// </summary>
    public void Close(BudgetView budget, long plannedReserved)
    {
        if (budget.Day is not null)
            MoveTreeAndDay(budget, budget.Day, -(budget.AllocatedMicroUsd - (budget.ReservedMicroUsd - plannedReserved)), 0);
        if (plannedReserved != 0)
            Move(Scopes.Audit(budget.AuditId), -plannedReserved, 0);
        MoveBudget(budget.AuditId, -budget.AllocatedMicroUsd, -budget.ReservedMicroUsd);
    }

    /// <exception cref="InvalidOperationException">A row that money moves in does not exist.</exception>
    public async Task WriteAsync(LedgerSession session, CancellationToken cancellationToken)
    {
        var group = new StatementGroup();
        var verify = Write(session, group);
        await session.RunAsync(group, cancellationToken);
        verify();
    }

    /// <summary>
    /// Adds the moves to a group: scopes first, locked in their order, then budgets. What this returns must be called once the group has run:
    /// it throws if a row was missing.
    /// </summary>
    /// <param name="session">The session whose transaction moves the money.</param>
    /// <param name="group">The group.</param>
    /// <param name="areLocked">Whether the transaction has locked the scopes already.</param>
    public Action Write(LedgerSession session, StatementGroup group, bool areLocked = false)
    {
        List<Action> verify = [];
        var scopes = _scopes.Where(scope => scope.Value != default).ToList();
        if (scopes.Count > 0)
        {
            if (!areLocked)
                session.LockSpending(group, scopes.Select(scope => scope.Key));
            var rows = new RowSet<KeyValuePair<string, (long Reserved, long Spent, long Overrun)>>(scopes)
                .With("moved", scope => scope.Key).With("reserved", scope => scope.Value.Reserved).With("spent", scope => scope.Value.Spent).With("overrun", scope => scope.Value.Overrun);
            Update(scopes, rows, row => row.GetString(0), $"""
                UPDATE spending SET reserved_micro_usd = reserved_micro_usd + reserved, spent_micro_usd = spent_micro_usd + spent, overrun_micro_usd = overrun_micro_usd + overrun
                FROM {session.Rows(rows, "moves")} WHERE scope = moved RETURNING scope
                """);
        }

        var budgets = _budgets.Where(budget => budget.Value != default).ToList();
        if (budgets.Count > 0)
        {
            var rows = new RowSet<KeyValuePair<Guid, (long Allocated, long Reserved)>>(budgets)
                .With("moved", budget => budget.Key).With("allocated", budget => budget.Value.Allocated).With("reserved", budget => budget.Value.Reserved);
            Update(budgets, rows, row => row.GetGuid(0), $"""
                UPDATE audit_budget SET allocated_micro_usd = allocated_micro_usd + allocated, reserved_micro_usd = reserved_micro_usd + reserved
                FROM {session.Rows(rows, "moves")} WHERE audit_id = moved RETURNING audit_id
                """);
        }

        return () => verify.ForEach(check => check());

        void Update<TKey, TMove>(List<KeyValuePair<TKey, TMove>> moves, RowSet rows, Func<DbDataReader, TKey> key, string text)
        {
            var updated = group.Query(Statement.About(rows, text), key);
            verify.Add(() =>
            {
                if (updated.Rows.Count != moves.Count)
                    throw new InvalidOperationException($"Money was to move in {string.Join(", ", moves.Select(move => move.Key).Except(updated.Rows))}, which is missing, so the whole transaction is rolled back. Was the gateway's database restored or edited?");
            });
        }
    }

    void MoveTreeAndDay(BudgetView budget, string day, long reserved, long spent)
    {
        Move(Scopes.Tree(budget.TrackingId), reserved, spent);
        Move(Scopes.Day(day), reserved, spent);
    }

    void AddOverrun(BudgetView budget, string day, long overrun)
    {
        if (overrun <= 0)
            return;
        Overrun += overrun;
        foreach (var scope in (ReadOnlySpan<string>)[Scopes.Audit(budget.AuditId), Scopes.Tree(budget.TrackingId), Scopes.Day(day)])
            Move(scope, 0, 0, overrun);
    }

    void Move(string scope, long reserved, long spent, long overrun = 0)
    {
        var sum = _scopes.GetValueOrDefault(scope);
        _scopes[scope] = (sum.Reserved + reserved, sum.Spent + spent, sum.Overrun + overrun);
    }

    void MoveBudget(Guid auditId, long allocated, long reserved)
    {
        var sum = _budgets.GetValueOrDefault(auditId);
        _budgets[auditId] = (sum.Allocated + allocated, sum.Reserved + reserved);
    }
}
