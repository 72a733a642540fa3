using Assay.Contracts.Internal.AuditSaga;

namespace Assay.AuditSaga.Transitions;

/// <summary>One step in an audit's life; written in the transaction that takes it.</summary>
public sealed class AuditTransition
{
    public Guid AuditId { get; set; }

    /// <summary>Grows with every step of this audit, over all attempts.</summary>
    public int Sequence { get; set; }

    public int Attempt { get; set; }
    public string FromState { get; set; } = "";
    public string ToState { get; set; } = "";

    /// <summary>The message, timer or watch that caused it.</summary>
    public string Trigger { get; set; } = "";

    public string Worker { get; set; } = "";
    public DateTime At { get; set; }

    /// <summary>Time spent in <see cref="FromState"/>.</summary>
    public long ElapsedMs { get; set; }

    /// <summary>The step as others are told.</summary>
    public AuditTransitioned Told() => new()
    {
        AuditId = AuditId,
        Attempt = Attempt,
        Sequence = Sequence,
        From = FromState,
        To = ToState,
        Trigger = Trigger,
        Worker = Worker,
        At = At,
        ElapsedMs = ElapsedMs,
    };
}
