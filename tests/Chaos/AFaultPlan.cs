using System.Text.Json;

namespace Assay.Chaos;

public sealed class AFaultPlan
{
    [Fact]
    public void Should_be_the_same_for_the_same_seed()
    {
        foreach (var profile in Enum.GetValues<Profile>())
            FaultPlan.Of(profile, 17).ToString().ShouldBe(FaultPlan.Of(profile, 17).ToString());
        JsonSerializer.Serialize(WorkPlan.Of(Profile.Short, 17, TimeSpan.FromSeconds(45))).ShouldBe(JsonSerializer.Serialize(WorkPlan.Of(Profile.Short, 17, TimeSpan.FromSeconds(45))));
    }

    [Fact]
    public void Should_differ_between_seeds() =>
        Enumerable.Range(1, 100).Select(seed => FaultPlan.Of(Profile.Short, seed).ToString()).Distinct(StringComparer.Ordinal).Count().ShouldBeGreaterThan(95);

    [Fact]
    public void Should_reach_every_kind_of_fault_every_service_and_every_link_in_200_seeds()
    {
        var faults = Enumerable.Range(1, 200).SelectMany(seed => FaultPlan.Of(Profile.Short, seed).Faults).ToList();
        var wide = Enumerable.Range(1, 60).SelectMany(seed => FaultPlan.Of(Profile.Long, seed).Faults).ToList();

        faults.Concat(wide).Select(fault => fault.Kind).Distinct().Count().ShouldBe(Enum.GetValues<FaultKind>().Length);
        faults.Where(fault => fault.Kind is FaultKind.Kill).Select(fault => (fault.Service, fault.Instance)).Distinct().Count().ShouldBe(8);
        faults.Where(fault => fault.Link is not null).Select(fault => (fault.Kind, fault.Service, fault.Link)).Distinct().Count().ShouldBeGreaterThan(30);
        faults.ShouldAllBe(fault => fault.At + fault.For < TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Should_never_stop_one_process_twice_at_a_time()
    {
        foreach (var plan in Enumerable.Range(1, 100).SelectMany(seed => new[] { FaultPlan.Of(Profile.Short, seed), FaultPlan.Of(Profile.Long, seed) }))
        {
            foreach (var faults in plan.Faults.Where(fault => fault.Service is not null).GroupBy(fault => (fault.Service, fault.Instance)))
                faults.Zip(faults.Skip(1)).ShouldAllBe(pair => pair.First.At + pair.First.For < pair.Second.At, plan.ToString());
        }
    }
}
