using System.Globalization;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.LlmGateway.Quote;
using Assay.LlmGateway.Restore;

namespace Assay.LlmGateway.OpenBudget;

/// <summary>Why an attempt cannot have a budget.</summary>
sealed record Refusal(string Reason, string Detail);

/// <summary>The judgements that need no database: quote and admission make the same ones.</summary>
static class BudgetJudgement
{
    /// <summary>Judges engines and ceiling. A retry may need no money at all, so its ceiling is judged call by call.</summary>
    public static Refusal? OfPlan(AuditPlan plan, long ceilingMicroUsd, long spentMicroUsd, bool isRetry)
    {
        if (plan.UnknownEngines.Count > 0)
            return new(RejectionReasons.UnknownEngine,
                $"The request names {string.Join(", ", plan.UnknownEngines.Select(name => $"'{name}'"))}, which {(plan.UnknownEngines.Count == 1 ? "is not a configured engine" : "are not configured engines")}. Configure it with Engines__{plan.UnknownEngines[0]}__Kind, or name another.");
        if (!isRetry && plan.CheapestCallMicroUsd > ceilingMicroUsd - spentMicroUsd)
            return new(RejectionReasons.CeilingTooLow,
                $"The cheapest call can cost {Usd(plan.CheapestCallMicroUsd)} at worst; the ceiling is {Usd(ceilingMicroUsd)}. Raise ceilingUsd, or lower the engine's MaxOutputTokens.");
        return null;
    }

    public static Refusal Halted(string reason) =>
        new(RejectionReasons.SpendingHalted, $"Spending is halted: {reason} {(reason.StartsWith(LedgerContinuity.HaltReason, StringComparison.Ordinal) ? "Then" : "Resume it (assay resume, or POST /api/spending/resume), then")} send the request again.");

    public static Refusal SpentOut(string scope, long ceiling, long spent, long needed) =>
        new(RejectionReasons.CeilingReached,
            $"{scope} has spent {Usd(spent)} of {Usd(ceiling)}; this audit needs {Usd(needed)}. "
            + (scope.StartsWith("day:", StringComparison.Ordinal) ? "Try again after midnight UTC, lower ceilingUsd, or raise LlmGateway__DailyCeilingUsd." : "Lower ceilingUsd, or raise the root's treeCeilingUsd."));

    public static Refusal Changed(IEnumerable<string> differences) =>
        new(RejectionReasons.EngineChanged,
            $"The first attempt's answers came from engines that mean something else now: {string.Join("; ", differences)}. Restore that configuration to retry, or request a new audit.");

    static string Usd(long microUsd) => MicroUsd.ToUsd(microUsd).ToString("$0.00####", CultureInfo.InvariantCulture);
}
