using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;

namespace Assay.LlmGateway.AnswersStored;

[Trait("Needs", "Servers")]
public sealed class StoringAnswersElsewhere
{
    [Theory, InlineData(DatabaseProvider.Sqlite), InlineData(DatabaseProvider.PostgreSql)]
    public async Task Should_keep_the_hash_and_reuse_by_it(DatabaseProvider provider)
    {
        var engine = new TestEngine();
        await using var gateway = await GatewayHost.StartAsync(provider, engine);
        var request = Requests.Audit(["one"]);
        await gateway.OpenAsync(Requests.Open(request));
        var ask = Requests.Ask(request);
        var first = (await gateway.AskAsync(ask)).Answers[0];

        await gateway.Bus.Publish(new Contracts.Internal.LlmGateway.AnswersStored { AuditId = request.AuditId, Attempt = 1, BatchId = ask.BatchId });
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await gateway.QueryAsync(database => database.PaidCalls.AnyAsync(call => call.Text != null, limit.Token)))
            await Task.Delay(20, limit.Token);

        await gateway.CloseAsync(request.AuditId);
        await gateway.OpenAsync(Requests.Open(request, attempt: 2));
        var second = (await gateway.AskAsync(Requests.Ask(request, attempt: 2))).Answers[0];
        second.ShouldSatisfyAllConditions(
            answer => answer.State.ShouldBe(CallStates.Answered), answer => answer.Reused.ShouldBeTrue(), answer => answer.Text.ShouldBeNull(),
            answer => answer.TextHash.ShouldBe(first.TextHash), answer => answer.TextHash.ShouldBe(CallKey.HashOfText("Answer to one")));
    }
}
