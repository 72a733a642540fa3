using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;

namespace Assay.LlmGateway.Quote;

public sealed class CountingAnAudit
{
    /// <summary>Any name is an engine here, the advisor's too.</summary>
    sealed class AnyEngine : IEngineCatalog
    {
        static readonly TestEngine Test = new();

        public IReadOnlyCollection<EngineDefinition> All => Test.All;

        public EngineDefinition? Find(string name) => Test.Definition with { Name = name };
    }

    [Fact]
    public void Should_expect_the_precision_that_scores_have()
    {
        var request = Requests.Audit(Requests.Queries(60), engines: ["a", "b", "c", "d"]) with { Control = true };
        AuditPlan.Of(request, new AnyEngine(), new LlmGatewayOptions()).ExpectedHalfWidth.ShouldBe(ExpectedPrecision.HalfWidth(60, 4, 1));
        AuditPlan.Of(request with { Queries = null, QueryCount = 60, Runs = 2 }, new AnyEngine(), new LlmGatewayOptions()).ExpectedHalfWidth.ShouldBe(ExpectedPrecision.HalfWidth(60, 4, 2));
    }

    [Fact]
    public void Should_count_the_judge_where_it_is_on()
    {
        var request = Requests.Audit(Requests.Queries(10), engines: ["a", "b"]);
        var without = AuditPlan.Of(request, new AnyEngine(), new LlmGatewayOptions());
        var with = AuditPlan.Of(request, new AnyEngine(), new LlmGatewayOptions { JudgedAnswers = 60 });
        without.Parts.ShouldNotContain(part => part.Purpose == Purposes.Judge);
        with.Calls.ShouldBe(without.Calls + 20, "no more is judged than is answered");
        var judge = with.Parts.Single(part => part.Purpose == Purposes.Judge);
        judge.Engine.Name.ShouldBe(AuditPlan.Advisor);
        with.WorstCaseMicroUsd.ShouldBe(without.WorstCaseMicroUsd + judge.WorstCaseMicroUsd);
        with.InsightsWorstMicroUsd.ShouldBe(without.InsightsWorstMicroUsd + judge.WorstCaseMicroUsd, "the judge's money stays until the insights begin");
    }
}
