# Runs minitest or RSpec and writes what was planned and what happened, one JSON object a line.
# Files that do not load are reported and do not keep the others from running.
require "json"

events = File.open(ENV.delete("WAYPROOF_EVENTS"), "w")
events.sync = true
only = ENV.delete("WAYPROOF_ONLY")
wanted = only && JSON.parse(File.read(only)).to_h { |id| [id, true] }
framework, *files = ARGV
ARGV.clear
root = Dir.pwd
lock = Mutex.new
emit = lambda do |event|
  line = JSON.generate(event) rescue JSON.generate(event.transform_values { |value| value.is_a?(String) ? value.scrub : value })
  lock.synchronize { events.puts(line) }
end
relative = ->(path) { File.expand_path(path.to_s, root).delete_prefix("#{root}/") }
# The first frame of the project's own, as [file, line].
place = lambda do |lines|
  frames = (lines || []).map { |frame| frame.match(/\A(.+?):(\d+)/) }.compact
  own = frames.find { |frame| !frame[1].start_with?("<") && File.expand_path(frame[1], root).start_with?("#{root}/") }
  own ? [relative.(own[1]), own[2].to_i] : [nil, nil]
end
is_load_error = ->(error) { error.is_a?(ScriptError) && !error.is_a?(NotImplementedError) }
broken = lambda do |scope, error|
  file, line = place.(error.backtrace)
  message = "#{error.message.to_s.lines.map(&:strip).reject(&:empty?).first(3).join(" ")} (#{error.class})"
  emit.({ event: "broken", scope: scope, message: message, file: file, line: line })
end

if ENV["BUNDLE_GEMFILE"]
  begin
    require "bundler"
    Bundler.setup
  rescue LoadError, StandardError => error
    # What the tests need and do not find is told by the file that asks for it.
    warn "the bundle is not complete: #{error.message}"
    ENV.delete("BUNDLE_GEMFILE")
  end
end
%w[lib test spec].each { |name| $LOAD_PATH.unshift(File.join(root, name)) if Dir.exist?(File.join(root, name)) }

run_minitest = lambda do
  require "minitest"
  # The runner's own files are loaded before the tree's, so that none of the tree's can stand in for them.
  def Minitest.autorun; end
  %w[minitest/autorun minitest/spec minitest/mock].each { |name| require name }
  origin = {}
  files.each do |file|
    known = Minitest::Runnable.runnables.dup
    begin
      require File.join(root, file)
    rescue SystemExit, ScriptError, StandardError => error
      broken.(file, error)
      (Minitest::Runnable.runnables - known).each { |klass| Minitest::Runnable.runnables.delete(klass) }
    end
    (Minitest::Runnable.runnables - known).each { |klass| origin[klass] = file }
  end
  name_of = ->(klass, test) { "#{origin.fetch(klass, klass.to_s)}::#{klass}##{test}" }
  planned = []
  Minitest.seed = 0
  srand(0)
  tests = Minitest::Runnable.runnables.to_h { |klass| [klass, klass.runnable_methods] }
  tests.each do |klass, names|
    chosen = names.select { |test| wanted.nil? || wanted[name_of.(klass, test)] }
    planned.concat(chosen.map { |test| name_of.(klass, test) })
    klass.define_singleton_method(:runnable_methods) { chosen }
  end
  emit.({ event: "planned", ids: planned })
  recorder = Class.new(Minitest::AbstractReporter) do
    define_method(:prerecord) { |klass, test| Thread.current[:wayproof] = [klass, test] }
    define_method(:record) do |result|
      klass, test = Thread.current[:wayproof]
      failure = result.failures.find { |one| !one.is_a?(Minitest::Skip) } || result.failures.first
      error = failure.is_a?(Minitest::UnexpectedError) ? (failure.respond_to?(:error) ? failure.error : failure.exception) : failure
      status = result.skipped? ? "skipped" : failure ? "failed" : "passed"
      reason = if status != "failed" then nil
               elsif is_load_error.(error) then "build"
               elsif failure.is_a?(Minitest::UnexpectedError) then "exception"
               else "assertion"
               end
      file, line = failure ? place.([failure.location, *error&.backtrace]) : [nil, nil]
      emit.({ event: "result", id: name_of.(klass, test), status: status, reason: reason,
              message: failure ? failure.message.to_s[0, 2000] : "", file: file, line: line })
    end
    define_method(:passed?) { true }
  end
  Minitest.singleton_class.send(:define_method, :plugin_wayproof_init) { |_| reporter << recorder.new }
  Minitest.extensions << "wayproof"
  Minitest.run(%w[--seed 0 --no-plugins])
end

run_rspec = lambda do
  require "rspec/core"
  %w[rspec/expectations rspec/mocks].each { |name| require name }
  is_loading = false
  stopped = false
  RSpec::Core::Reporter.prepend(Module.new do
    define_method(:notify_non_example_exception) do |error, context|
      named = context[/while loading (.+?)\.(?:\s|\z)/, 1]
      file = named && relative.(named)
      if is_loading && files.include?(file)
        broken.(file, error)
      else
        stopped = true unless is_loading == :done
        broken.(is_loading == :done ? context : "", error)
      end
      super(error, context)
    end
  end)
  options = %w[--no-color --no-fail-fast --no-profile --order defined --format progress]
  runner = RSpec::Core::Runner.new(RSpec::Core::ConfigurationOptions.new(options + files))
  is_loading = true
  runner.setup($stderr, $stdout)
  is_loading = :done
  world = RSpec.world
  unless stopped
    world.wants_to_quit = false
    ids = {}
    count = Hash.new(0)
    groups = world.ordered_example_groups
    groups.flat_map(&:descendants).each do |group|
      group.examples.each do |example|
        file = relative.(example.metadata[:rerun_file_path] || example.metadata[:file_path])
        words = example.metadata[:description_args].empty? ? "#{group.description} (unnamed)" : example.full_description
        id = "#{file} > #{words}"
        again = count[id] += 1
        ids[example] = again == 1 ? id : "#{id} (#{again})"
      end
      world.filtered_examples[group] = world.filtered_examples[group].select { |example| wanted[ids[example]] } if wanted
    end
    emit.({ event: "planned", ids: groups.flat_map(&:descendant_filtered_examples).map { |example| ids[example] } })
    listener = Object.new
    record = lambda do |example, status|
      error = status == "failed" ? example.execution_result.exception : nil
      reason = if error.nil? then nil
               elsif is_load_error.(error) then "build"
               elsif error.class.name.to_s.start_with?("RSpec::") then "assertion"
               else "exception"
               end
      file, line = error ? place.(error.backtrace) : [nil, nil]
      message = error ? "#{error.message.to_s.strip} (#{error.class})"[0, 2000] : ""
      emit.({ event: "result", id: ids[example], status: status, reason: reason, message: message, file: file, line: line })
    end
    listener.define_singleton_method(:example_passed) { |note| record.(note.example, "passed") }
    listener.define_singleton_method(:example_failed) { |note| record.(note.example, "failed") }
    listener.define_singleton_method(:example_pending) do |note|
      record.(note.example, note.example.skipped? ? "skipped" : "xfail")
    end
    RSpec.configuration.reporter.register_listener(listener, :example_passed, :example_failed, :example_pending)
    runner.run_specs(groups)
  end
end

begin
  framework == "rspec" ? run_rspec.() : run_minitest.()
rescue LoadError => error
  broken.("", error)
end
emit.({ event: "complete", exit: 0 })
events.close
exit!(0)
