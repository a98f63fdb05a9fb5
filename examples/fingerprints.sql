/* What the demo's flow holds at a destination: of each stream the number of its rows, and one number made of all that
   the tap said in them. Our own columns (_sdc_...) are left out: they tell when a row came here, not what it says. */
with rows as (
    select 'branches' as stream, hash(row) as hash from (select * not like '_sdc_%' from gitlab.branches) as row union all
    select 'commits', hash(row) from (select * not like '_sdc_%' from gitlab.commits) as row union all
    select 'group_milestones', hash(row) from (select * not like '_sdc_%' from gitlab.group_milestones) as row union all
    select 'groups', hash(row) from (select * not like '_sdc_%' from gitlab.groups) as row union all
    select 'issues', hash(row) from (select * not like '_sdc_%' from gitlab.issues) as row union all
    select 'project_milestones', hash(row) from (select * not like '_sdc_%' from gitlab.project_milestones) as row union all
    select 'projects', hash(row) from (select * not like '_sdc_%' from gitlab.projects) as row union all
    select 'users', hash(row) from (select * not like '_sdc_%' from gitlab.users) as row
)
select stream, count(*) as rows, format('{:016x}', bit_xor(hash)) as fingerprint
from rows group by stream order by stream
