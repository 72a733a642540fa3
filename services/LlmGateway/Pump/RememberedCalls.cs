using System.Diagnostics;

namespace Assay.LlmGateway.Pump;

/// <summary>
/// What this instance knows of calls to be asked, by engine and in turn over their audits: ones that it owns already, and keys of ones that
/// are planned and nobody's. The first few audits take turns by single calls, so that what a crash leaves in doubt is a little of each; the
/// others follow them in their order, so that in a crowd the first are done while the last have not begun. A memory and not a record: a call
/// that is gone since is passed over by claim or flush, and one that is nobody's and not here is found by the next look into the ledger.
/// </summary>
/// <param name="unconfirmedAfter">How long a transaction that takes calls may last before nobody believes in its commit any more.</param>
sealed class RememberedCalls(TimeSpan unconfirmedAfter)
{
    public RememberedCalls()
        : this(TimeSpan.FromSeconds(10))
    {
    }

    /// <summary>The most calls of one engine that are remembered; the ledger holds the others.</summary>
    const int MostOfAnEngine = 10_000;

    /// <summary>The most of them that are owned before they have a place in their lane: these carry what they ask.</summary>
    const int MostOwned = 2_000;

    /// <summary>How many audits take turns with each other.</summary>
    const int AtATime = 8;

    /// <summary>After how many calls an audit that has more goes behind all the others: a large one keeps none waiting for long.</summary>
    const int MostBeforeOthers = 64;

    /// <summary>An audit's calls of one engine. A key that is queued and no call any more is passed over.</summary>
    sealed class Turn(Guid auditId)
    {
        public Guid AuditId { get; } = auditId;
        public Queue<string> Keys { get; } = new();
        public int Served { get; set; }
    }

    /// <summary>Audits with calls of one engine: the next to be served first.</summary>
    sealed class Turns
    {
        public LinkedList<Turn> Audits { get; } = new();
        public Dictionary<string, Remembered> Calls { get; } = new(StringComparer.Ordinal);
        public int Owned { get; set; }

        public void Set(string key, Remembered call)
        {
            Forget(key);
            Calls[key] = call;
            Owned += call.Owned is null ? 0 : 1;
        }

        /// <summary>Puts an audit that was served and has more where its next turn is.</summary>
        public void Return(Turn turn)
        {
            turn.Served++;
            var before = turn.Served % MostBeforeOthers == 0 ? null : Audits.First;
            for (var place = 1; before is not null && place < AtATime - 1; place++)
                before = before.Next;
            if (before is null)
                Audits.AddLast(turn);
            else
                Audits.AddAfter(before, turn);
        }

        public bool Forget(string key)
        {
            if (!Calls.Remove(key, out var call))
                return false;
            Owned -= call.Owned is null ? 0 : 1;
            return true;
        }
    }

    readonly Lock _lock = new();
    readonly Dictionary<string, Turns> _engines = new(StringComparer.Ordinal);
    readonly HashSet<Taking> _expected = [];

    public bool HasAny(string engine)
    {
        lock (_lock)
            return _engines.TryGetValue(engine, out var turns) && turns.Calls.Count > 0;
    }

    /// <summary>Whether so many more calls may be owned.</summary>
    public bool HasRoom(string engine, int calls)
    {
        lock (_lock)
            return calls + (_engines.TryGetValue(engine, out var turns) ? turns.Owned : 0) <= MostOwned;
    }

    /// <summary>Remembers calls of an audit that are nobody's, each once, behind what it has already. False if they are too many: then the ledger must be looked into.</summary>
    public bool Add(string engine, Guid auditId, IReadOnlyCollection<string> keys)
    {
        lock (_lock)
            return Add(engine, auditId, [.. keys.Select(key => new Remembered(key, auditId, Owned: null))]);
    }

    /// <summary>Remembers calls of one engine and audit that this instance owns.</summary>
    public void Add(IReadOnlyList<ClaimedCall> calls)
    {
        lock (_lock)
            foreach (var own in calls.GroupBy(call => (call.Engine.Name, call.AuditId)))
                Add(own.Key.Name, own.Key.AuditId, [.. own.Select(call => new Remembered(call.CallKey, call.AuditId, call))]);
    }

    bool Add(string engine, Guid auditId, List<Remembered> calls)
    {
        if (!_engines.TryGetValue(engine, out var turns))
            _engines[engine] = turns = new();
        if (turns.Calls.Count + calls.Count > MostOfAnEngine && calls.Exists(call => call.Owned is null))
            return false;
        var known = turns.Audits.FirstOrDefault(turn => turn.AuditId == auditId);
        var own = known ?? new(auditId);
        foreach (var call in calls)
        {
            if (!turns.Calls.ContainsKey(call.Key))
                own.Keys.Enqueue(call.Key);
            turns.Set(call.Key, call);
        }

        if (known is null && own.Keys.Count > 0)
            turns.Audits.AddLast(own);
        return true;
    }

    /// <summary>Says that a transaction takes these calls; <see cref="Confirm"/> follows its commit.</summary>
    public Taking Expect(IReadOnlyList<ClaimedCall> calls)
    {
        var taking = new Taking(calls);
        lock (_lock)
            _expected.Add(taking);
        return taking;
    }

    /// <summary>The transaction has committed: its calls are this instance's to send. False if they were given up meanwhile.</summary>
    public bool Confirm(Taking taking)
    {
        lock (_lock)
        {
            if (!_expected.Remove(taking))
                return false;
            Add(taking.Calls);
            return true;
        }
    }

    /// <summary>
    /// Takes out the calls of transactions of whose commit nobody has heard. They may be this owner's, so that nobody else takes them, and must
    /// be given back.
    /// </summary>
    public IReadOnlyList<ClaimedCall> TakeUnconfirmed()
    {
        lock (_lock)
        {
            if (_expected.Count == 0)
                return [];
            var late = _expected.Where(taking => Stopwatch.GetElapsedTime(taking.Since) >= unconfirmedAfter).ToList();
            _expected.ExceptWith(late);
            return [.. late.SelectMany(taking => taking.Calls)];
        }
    }

    /// <summary>Takes out every call that is owned, to be given back.</summary>
    public IReadOnlyList<ClaimedCall> TakeOwned()
    {
        lock (_lock)
        {
            List<ClaimedCall> owned = [];
            foreach (var turns in _engines.Values.Where(turns => turns.Owned > 0))
                foreach (var call in turns.Calls.Values.Where(call => call.Owned is not null).ToList())
                {
                    turns.Forget(call.Key);
                    owned.Add(call.Owned!);
                }

            return owned;
        }
    }

    /// <summary>Forgets the calls of an attempt that may spend no more, or of its phase whose deadline has passed.</summary>
    public void Forget(ClaimedCall like)
    {
        lock (_lock)
        {
            if (!_engines.TryGetValue(like.Engine.Name, out var turns))
                return;
            foreach (var call in turns.Calls.Values.Where(call => call.Owned is { } owned && owned.AuditId == like.AuditId && owned.Attempt <= like.Attempt && owned.DeadlineAt <= like.DeadlineAt).ToList())
                turns.Forget(call.Key);
        }
    }

    /// <summary>Takes a call of the audit whose turn it is, then one of the next.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="wanted">How many calls at most.</param>
    /// <param name="passedOver">Audits whose calls that are nobody's are forgotten instead.</param>
    public IReadOnlyList<Remembered> Take(string engine, int wanted, IReadOnlySet<Guid> passedOver)
    {
        List<Remembered> taken = [];
        lock (_lock)
        {
            if (!_engines.TryGetValue(engine, out var turns))
                return taken;
            while (taken.Count < wanted && turns.Audits.First is { } first)
            {
                turns.Audits.Remove(first);
                if (first.Value.Keys.TryDequeue(out var key) && turns.Calls.TryGetValue(key, out var call))
                {
                    turns.Forget(key);
                    if (call.Owned is not null || !passedOver.Contains(call.AuditId))
                        taken.Add(call);
                }

                if (first.Value.Keys.Count > 0)
                    turns.Return(first.Value);
            }
        }

        return taken;
    }
}

/// <summary>Calls that a transaction takes; one like any other until its commit.</summary>
sealed class Taking(IReadOnlyList<ClaimedCall> calls)
{
    public IReadOnlyList<ClaimedCall> Calls { get; } = calls;
    public long Since { get; } = Stopwatch.GetTimestamp();
}

/// <param name="Key">The call's key.</param>
/// <param name="AuditId">Its audit.</param>
/// <param name="Owned">The call, if it is owned already; null if it is nobody's.</param>
sealed record Remembered(string Key, Guid AuditId, ClaimedCall? Owned);
