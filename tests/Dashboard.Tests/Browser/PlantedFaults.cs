using Assay.ServiceDefaults;

namespace Assay.Dashboard.Tests.Browser;

/// <summary>Error queues with something in them, without a broker; what is sent again stays, since nothing consumes it.</summary>
sealed class PlantedFaults : IFaultedMessages
{
    const string Queue = "project-audit_error";

    /// <summary>The form that sends one message again.</summary>
    public const string One = $"/operations/messages/send-again?queue={Queue}&key=first";

    /// <summary>The form that sends those again that fault alike.</summary>
    public const string Alike = $"/operations/messages/send-again?queue={Queue}&faultType=System.FormatException&messageType=AnswersDescribed";

    static readonly FaultedMessage[] Planted =
    [
        Message("first", "AnswersDescribed", "The answer 'key-1' has no brand <script>alert(1)</script> \u202Eevil."), Message("second", "AnswersDescribed", "The answer 'key-2' has no brand."),
        Message("third", "AuditScored", "=HYPERLINK(\"http://example.org\")"),
    ];

    public string? Unavailable => null;

    public Task<IReadOnlyList<FaultedQueue>> LookAsync(IReadOnlyCollection<string> endpoints, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<FaultedQueue>>([new FaultedQueue(Queue, Planted.Length, Planted)]);

    public Task<int> SendAgainAsync(string queue, Func<FaultedMessage, bool> which, CancellationToken cancellationToken) => Task.FromResult(Planted.Count(which));

    public Task<int> DropExpiredRequestsAsync(CancellationToken cancellationToken) => Task.FromResult(0);

    static FaultedMessage Message(string key, string type, string fault) => new(
        key, Queue, "project-audit", Guid.CreateVersion7(), type, Guid.CreateVersion7(), "System.FormatException", fault, "   at Assay.Dashboard.Projections.ReadModelChanges.Take(Told told)",
        Sample.At(90), "dashboard-1", """{ "auditId": "0199aaaa-0000-7000-8000-000000000001", "answers": [] }""");
}
