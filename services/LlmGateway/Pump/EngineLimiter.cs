namespace Assay.LlmGateway.Pump;

/// <summary>
/// One engine's limits in this instance: slots, requests and tokens in any 60 seconds, and a pause the provider asked for.
/// Not thread-safe by design of its use: one dispatcher asks, so callers hold <see cref="EngineLane"/>'s lock.
/// </summary>
sealed class EngineLimiter
{
    static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    readonly Queue<(DateTimeOffset At, int Tokens)> _sent = new();
    long _tokens;
    DateTimeOffset _pausedUntil;
    string _pausedFor = "";

    public int InUse { get; private set; }

    /// <summary>Null if a call of this size may go now; else what it waits for, and until when if that is known.</summary>
    public (string For, DateTimeOffset? Until)? WaitsFor(DateTimeOffset now, int tokens, int slots, int? requestsPerMinute, int? tokensPerMinute)
    {
        while (_sent.TryPeek(out var oldest) && now - oldest.At >= Window)
            _tokens -= _sent.Dequeue().Tokens;

        if (now < _pausedUntil)
            return (_pausedFor, _pausedUntil);
        if (InUse >= slots)
            return ("a free slot", null);
        if (requestsPerMinute is { } requests && _sent.Count >= requests)
            return ("requests per minute", NextRoom(now, requests <= 0 ? 0 : _sent.Count - requests + 1));
        // A single call larger than the whole limit goes when nothing else has gone: it would wait for ever.
        if (tokensPerMinute is { } limit && _sent.Count > 0 && _tokens + tokens > limit)
            return ("tokens per minute", NextRoom(now, 1));
        return null;
    }

    public void Take(DateTimeOffset now, int tokens)
    {
        InUse++;
        _sent.Enqueue((now, tokens));
        _tokens += tokens;
    }

    public void Free() => InUse--;

    /// <summary>Nothing goes until then.</summary>
    public void Pause(DateTimeOffset until, string why)
    {
        if (until <= _pausedUntil)
            return;
        (_pausedUntil, _pausedFor) = (until, why);
    }

    DateTimeOffset NextRoom(DateTimeOffset now, int toLeave)
    {
        using var sent = _sent.GetEnumerator();
        var at = now;
        for (var i = 0; i < toLeave && sent.MoveNext(); i++)
            at = sent.Current.At;
        return at + Window;
    }
}
