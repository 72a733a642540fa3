using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.ServiceDefaults;

/// <summary>The messages that must reach somebody: each is consumed by exactly one endpoint.</summary>
static class Commands
{
    static readonly HashSet<string> Exchanges =
    [
        .. new[]
        {
            typeof(RequestAudit), typeof(CancelAudit), typeof(RetryAudit),
            typeof(OpenBudget), typeof(CloseBudget), typeof(AskEngine), typeof(AnswersStored),
            typeof(PlanQueries), typeof(ScoreAudit), typeof(DraftInsights), typeof(PublishReport), typeof(RepairReadModel), typeof(DescribeAgain),
        }.Select(type => $"{type.Namespace}:{type.Name}"),
    ];

    /// <summary>Whether an exchange address, for example <c>rabbitmq://host/vhost/Assay.Contracts:RequestAudit</c>, belongs to a command.</summary>
    public static bool Contains(Uri address) => Exchanges.Contains(Uri.UnescapeDataString(address.AbsolutePath[(address.AbsolutePath.LastIndexOf('/') + 1)..]));
}
