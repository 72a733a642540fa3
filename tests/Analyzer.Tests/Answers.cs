using Assay.Analyzer.AnalyzeAnswers;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Analyzer.Tests;

static class Answers
{
    public static EngineAnswer Answered(string callKey, string questionId, string text, int run = 1) => new()
    {
        CallKey = callKey,
        QuestionId = questionId,
        Query = "best earbuds for working out",
        Run = run,
        State = CallStates.Answered,
        Text = text,
        TextHash = Hashes.Sha256(text),
        RequestedModel = "model-1",
        Surface = "simulated",
        CostMicroUsd = 10,
        PaidTries = 1,
    };

    public static EngineAnswer Declined(string callKey, string questionId, string reason = CallReasons.CeilingReached) =>
        Answered(callKey, questionId, "") with { State = CallStates.Declined, Text = null, TextHash = null, Reason = reason, CostMicroUsd = 0, PaidTries = 0 };

    public static EngineAnswered Batch(Guid auditId, Guid batchId, string purpose, params EngineAnswer[] answers) => new()
    {
        AuditId = auditId,
        Attempt = 1,
        BatchId = batchId,
        Purpose = purpose,
        Engine = purpose == Purposes.Answer ? "chatgpt" : "advisor",
        EngineKind = "scripted",
        Simulated = true,
        Answers = answers,
    };
}
