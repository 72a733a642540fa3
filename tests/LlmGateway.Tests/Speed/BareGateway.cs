using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using AskEngineMessage = Assay.Contracts.Internal.LlmGateway.AskEngine;
using CloseBudgetMessage = Assay.Contracts.Internal.LlmGateway.CloseBudget;
using OpenBudgetMessage = Assay.Contracts.Internal.LlmGateway.OpenBudget;

namespace Assay.LlmGateway.Speed;

/// <summary>
/// What a gateway does besides its ledger: the same messages over the same bus, each question rendered, given its key and asked in one of 64
/// slots, its answer carried back. Nothing is stored. What a call costs here is not the ledger's.
/// </summary>
sealed class BareGateway : AssayModule
{
    public override string Name => "BareGateway";

    public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database) => builder.Services.AddSingleton(new SemaphoreSlim(64));

    public override void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<BareConsumer>();

    sealed class BareConsumer(TestEngine engine, SemaphoreSlim slots, IBus everybody) : IConsumer<OpenBudgetMessage>, IConsumer<AskEngineMessage>, IConsumer<CloseBudgetMessage>
    {
        public Task Consume(ConsumeContext<OpenBudgetMessage> context) => context.Publish(new BudgetOpened
        {
            AuditId = context.Message.AuditId, Attempt = context.Message.Attempt, Pins = [], PlannedCalls = 0, WorstCaseMicroUsd = 0, AllocatedMicroUsd = 0, LedgerSequence = 1,
        });

        public Task Consume(ConsumeContext<AskEngineMessage> context)
        {
            _ = Task.Run(() => AnswerAsync(context.Message), CancellationToken.None);
            return Task.CompletedTask;
        }

        public Task Consume(ConsumeContext<CloseBudgetMessage> context) => context.Publish(new BudgetReported
        {
            AuditId = context.Message.AuditId, Attempt = context.Message.Attempt, Version = 1, CeilingMicroUsd = 0, ReservedMicroUsd = 0, SpentMicroUsd = 0, InDoubtMicroUsd = 0, OverrunMicroUsd = 0,
            Calls = 0, PaidTries = 0, InDoubt = 0, Reused = 0, Final = true, At = DateTime.UtcNow,
        });

        async Task AnswerAsync(AskEngineMessage message)
        {
            var answers = await Task.WhenAll(message.Questions.Select(question => AskAsync(message, question)));
            await everybody.Publish(new EngineAnswered
            {
                AuditId = message.AuditId, Attempt = message.Attempt, BatchId = message.BatchId, Purpose = message.Purpose, Engine = message.Engine, EngineKind = "test", Simulated = false, Answers = answers,
            });
        }

        async Task<EngineAnswer> AskAsync(AskEngineMessage message, Question question)
        {
            var rendered = engine.Render(new EngineRequest { Text = question.Text, Locale = question.Locale, Run = question.Run, Purpose = message.Purpose });
            var key = CallKey.Of(message.AuditId, message.Purpose, message.Engine, engine.Definition.Model, rendered.Hash, question.Run);
            await slots.WaitAsync();
            EngineOutcome outcome;
            try
            {
                outcome = await engine.AskAsync(rendered, key, CancellationToken.None);
            }
            finally
            {
                slots.Release();
            }

            return new EngineAnswer
            {
                CallKey = key, QuestionId = question.QuestionId, Query = question.Text, Run = question.Run, State = outcome.State, Text = outcome.Text, TextHash = CallKey.HashOfText(outcome.Text!),
                RequestedModel = engine.Definition.Model, Surface = outcome.Surface!, ResponseTimeMs = outcome.ResponseTimeMs, InputTokens = outcome.InputTokens, OutputTokens = outcome.OutputTokens,
                CostMicroUsd = 105, PaidTries = 1, AnsweredAt = DateTime.UtcNow,
            };
        }
    }
}
