namespace Assay.LlmGateway.Pump;

/// <summary>
/// What this instance knows of calls that are planned and nobody's, by engine and in turn over their audits. A memory and not a record: a
/// call that is gone since is passed over by the claim, and one that is not here is found by the next look into the ledger.
/// </summary>
sealed class RememberedCalls
{
    /// <summary>The most calls of one engine that are remembered; the ledger holds the others.</summary>
    const int MostOfAnEngine = 10_000;

    /// <summary>Audits with calls of one engine: the next to be served first.</summary>
    sealed class Turns
    {
        public LinkedList<(Guid AuditId, Queue<string> Keys)> Audits { get; } = new();
        public HashSet<string> Keys { get; } = new(StringComparer.Ordinal);
    }

    readonly Lock _lock = new();
    readonly Dictionary<string, Turns> _engines = new(StringComparer.Ordinal);

    public bool HasAny(string engine)
    {
        lock (_lock)
            return _engines.TryGetValue(engine, out var turns) && turns.Keys.Count > 0;
    }

    /// <summary>Remembers an audit's calls, each once, behind what it has already. False if they are too many: then the ledger must be looked into.</summary>
    public bool Add(string engine, Guid auditId, IReadOnlyCollection<string> keys)
    {
        lock (_lock)
        {
            if (!_engines.TryGetValue(engine, out var turns))
                _engines[engine] = turns = new();
            if (turns.Keys.Count + keys.Count > MostOfAnEngine)
                return false;
            var own = turns.Audits.FirstOrDefault(turn => turn.AuditId == auditId).Keys ?? new();
            var isNew = own.Count == 0;
            foreach (var key in keys.Where(turns.Keys.Add))
                own.Enqueue(key);
            if (isNew && own.Count > 0)
                turns.Audits.AddLast((auditId, own));
            return true;
        }
    }

    /// <summary>Takes the calls of the audit whose turn it is, then of the next. An audit that has more goes to the end.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="wanted">How many calls at most.</param>
    /// <param name="passedOver">Audits whose calls are forgotten instead.</param>
    public IReadOnlyList<(string Key, Guid AuditId)> Take(string engine, int wanted, IReadOnlySet<Guid> passedOver)
    {
        List<(string Key, Guid AuditId)> taken = [];
        lock (_lock)
        {
            if (!_engines.TryGetValue(engine, out var turns))
                return taken;
            while (taken.Count < wanted && turns.Audits.First is { } first)
            {
                turns.Audits.RemoveFirst();
                if (passedOver.Contains(first.Value.AuditId))
                {
                    turns.Keys.ExceptWith(first.Value.Keys);
                    continue;
                }

                while (taken.Count < wanted && first.Value.Keys.TryDequeue(out var key))
                {
                    turns.Keys.Remove(key);
                    taken.Add((key, first.Value.AuditId));
                }

                if (first.Value.Keys.Count > 0)
                    turns.Audits.AddLast(first);
            }
        }

        return taken;
    }
}
