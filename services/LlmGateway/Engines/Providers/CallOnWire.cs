using System.Diagnostics;
using System.Globalization;

namespace Assay.LlmGateway.Engines.Providers;

/// <summary>One try on its way through an SDK: what it must carry, and what is known of its fate however the SDK reports it.</summary>
internal sealed class CallOnWire(string idempotencyKey, long? writeBy = null)
{
    const int Waiting = 0;
    const int Left = 1;
    const int GivenBack = 2;

    static readonly AsyncLocal<CallOnWire?> Ambient = new();

    int fate = Waiting;

    /// <summary>The try of the present asynchronous flow: SDKs offer no other way to the handler below them.</summary>
    public static CallOnWire? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public string IdempotencyKey { get; } = idempotencyKey;

    /// <summary>Goes through everything but the network.</summary>
    public bool Rehearsal { get; init; }

    public bool BytesLeft => Volatile.Read(ref fate) == Left;

    public int? Status { get; private set; }

    public TimeSpan? RetryAfter { get; private set; }

    public BodyState BodyState { get; private set; }

    public byte[] Body { get; private set; } = [];

    /// <summary>Claims the moment of writing; false when the try was given back before, or its time is over although no timer said so yet.</summary>
    public bool TryWrite()
    {
        if (writeBy is { } until && Stopwatch.GetTimestamp() > until)
            TryGiveBack();
        return Interlocked.CompareExchange(ref fate, Left, Waiting) != GivenBack;
    }

    /// <summary>Claims that nothing was and will be written; false when writing has begun.</summary>
    public bool TryGiveBack() => Interlocked.CompareExchange(ref fate, GivenBack, Waiting) != Left;

    public void Responded(HttpResponseMessage response)
    {
        Status = (int)response.StatusCode;
        RetryAfter = ReadRetryAfter(response);
    }

    public void Read(BodyState state, byte[] body)
    {
        BodyState = state;
        Body = body;
    }

    static TimeSpan? ReadRetryAfter(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("retry-after-ms", out var values)
            && double.TryParse(values.FirstOrDefault(), NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds))
            return Bounded(milliseconds / 1000);
        if (response.Headers.RetryAfter is { } header)
            return header.Delta is { } delta ? Bounded(delta.TotalSeconds) : header.Date is { } date ? Bounded((date - DateTimeOffset.UtcNow).TotalSeconds) : null;
        // Some providers send fractions of a second, which the standard header does not know.
        return response.Headers.TryGetValues("Retry-After", out values)
            && double.TryParse(values.FirstOrDefault(), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? Bounded(seconds) : null;
    }

    static TimeSpan? Bounded(double seconds) =>
        double.IsNaN(seconds) || seconds < 0 ? null : TimeSpan.FromSeconds(Math.Min(seconds, 24 * 60 * 60));
}
