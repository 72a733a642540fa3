namespace Assay.LlmGateway.Pump;

/// <summary>How many calls a lane has sent lately, in halves of a second. Not thread-safe: callers hold <see cref="EngineLane"/>'s lock.</summary>
sealed class SendPace
{
    static readonly TimeSpan Half = TimeSpan.FromSeconds(0.5);

    DateTimeOffset _since;
    int _before;
    int _now;

    /// <summary>One more was sent.</summary>
    public void Sent(DateTimeOffset at)
    {
        Advance(at);
        _now++;
    }

    /// <summary>What was sent in the half second before this one and in this one so far.</summary>
    public int LastSecond(DateTimeOffset at)
    {
        Advance(at);
        return _before + _now;
    }

    void Advance(DateTimeOffset at)
    {
        if (at - _since < Half)
            return;
        _before = at - _since < 2 * Half ? _now : 0;
        _now = 0;
        _since = at;
    }
}
